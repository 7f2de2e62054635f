// The still picture that is displayed before a widget, and its status lines. Other files follow: they are one module.

/** Find the still that was displayed just before the widget that holds `el`. */
function stillBefore(el) {
  for (let place = el; place && place !== document.body; place = place.parentElement) {
    if (place.matches(".jp-OutputArea, .jp-Cell, .cell")) return null;
    const before = place.previousElementSibling;
    if (before && (before.matches(".seqkit-still") || before.querySelector(".seqkit-still"))) return before;
  }
  return null;
}

/** Let screen readers hear status lines: ipywidgets replaces their content, only what holds it stays. */
function speakAloud(el) {
  const output = el.closest(".jp-OutputArea-output") ?? document;
  for (const line of output.querySelectorAll(".seqkit-status .widget-html-content")) {
    line.setAttribute("aria-live", "polite");
  }
}

// Keeps keys that are pressed in a widget from the page around it.
// JupyterLab takes arrow keys for walking through cells and letters for commands (d twice deletes the cell)
// wherever the focus is not in a field for text: in a list, a slider, a tab.

/** Find the outermost widget that holds `el`. */
function whole(el) {
  let found = null;
  for (let place = el; place; place = place.parentElement) {
    if (place.matches(".jupyter-widgets")) found = place;
  }
  return found;
}

function keep(event) {
  const forThePage = event.ctrlKey || event.metaKey || event.altKey || event.key === "Escape";
  if (!forThePage && !(event.shiftKey && event.key === "Enter")) event.stopPropagation();
}

/** Typing replaces the name that was chosen before, rather than adding to it. */
function replace(event) {
  const box = event.target;
  if (!box.matches(".widget-text input[list]")) return;
  if (event.type === "focusin") return box.select();
  // A click undoes what focusin did, sometimes only after this event. A part chosen by hand stays.
  setTimeout(() => box.selectionStart === box.selectionEnd && box.select());
}

function render({ el }) {
  let home = null;
  const observer = new ResizeObserver(() => {
    if (home || !el.isConnected) return; // it is put on the page after it has been made
    home = whole(el);
    home?.addEventListener("keydown", keep);
    for (const kind of ["focusin", "click"]) home?.addEventListener(kind, replace);
  });
  observer.observe(el);
  return () => {
    observer.disconnect();
    home?.removeEventListener("keydown", keep);
    for (const kind of ["focusin", "click"]) home?.removeEventListener(kind, replace);
  };
}

export default { render };

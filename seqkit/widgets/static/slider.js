// A slider and a box for one number. The page knows it only as words, and sends one when a hand chooses it;
// what the kernel shows is never sent back.

function input(type, name) {
  const made = document.createElement("input");
  Object.assign(made, { type, autocomplete: "off" });
  made.setAttribute("aria-label", name);
  return made;
}

function span(text) {
  const made = document.createElement("span");
  made.textContent = text;
  return made;
}

function render({ model, el }) {
  const unit = model.get("_unit");
  const name = span(model.get("description"));
  name.className = "seqkit-slider-name";
  name.setAttribute("aria-hidden", "true"); // the slider says it
  const slider = input("range", model.get("description"));
  slider.min = 0;
  const box = input("text", model.get("exactly"));
  box.inputMode = "decimal";
  slider.title = box.title = model.get("tooltip") ?? "";
  const after = span(unit);
  el.classList.add("seqkit-slider");
  el.append(name, slider, box, after);

  let face = null; // what is shown
  let asked = null; // how much the kernel had heard when it was asked last; null once it has answered
  let next = null; // what the hand has chosen since

  function ask(word) {
    if (asked !== null) {
      next = { set: word, turn: face.turn };
    } else {
      send({ set: word, turn: face.turn });
    }
  }

  function send(wish) {
    asked = model.get("_face").heard;
    next = null;
    model.send(wish);
  }

  function say(word) {
    slider.setAttribute("aria-valuetext", model.get("readout") ? `${word}${unit}` : "");
  }

  function show() {
    const news = model.get("_face");
    if (asked !== null && news.heard !== asked) {
      asked = null;
      if (next) send(next);
    }
    slider.disabled = box.disabled = model.get("disabled");
    after.style.visibility = model.get("readout") ? "" : "hidden";
    if (asked !== null && face?.turn === news.turn) return; // the hand is ahead
    const typing = document.activeElement === box && face?.turn === news.turn && box.value !== box.dataset.shown;
    face = news;
    slider.max = face.words.length - 1;
    slider.value = face.at;
    const word = face.words[face.at];
    say(word);
    box.dataset.shown = model.get("readout") ? word : "";
    if (typing || box.value === box.dataset.shown) return;
    // Who has just chosen the whole text, to type over it, still has when the answer comes.
    const chosen = document.activeElement === box && box.selectionStart === 0 && box.selectionEnd === box.value.length;
    box.value = box.dataset.shown;
    if (chosen) box.select();
  }

  slider.addEventListener("input", () => {
    const word = face.words[slider.valueAsNumber];
    box.value = box.dataset.shown = word;
    say(word);
    ask(word);
  });
  box.addEventListener("change", () => {
    const typed = box.value;
    if (typed === box.dataset.shown) return;
    box.dataset.shown = typed; // until the answer
    ask(typed);
  });
  model.on("change:_face change:disabled change:readout", show);
  show();
  return () => model.off("change:_face change:disabled change:readout", show);
}

export default { render };

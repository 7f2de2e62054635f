// A graph of boxes: drawn once for each layout, repainted when statuses change. geometry.js and still.js come before.
// Everything a repo is called arrives as text and is set as text; repos are numbers here.

const SVG = "http://www.w3.org/2000/svg";
const ZOOM = { least: 0.1, most: 4, step: 1.25 };
const DRAG = 4; // px; less is a press

function element(tag, attributes = {}, ...children) {
  const made = tag.startsWith("svg:") ? document.createElementNS(SVG, tag.slice(4)) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// ---------------------------------------------------------------- the picture

class Picture {
  constructor(model, root) {
    this.model = model;
    this.root = root;
    this.current = 0; // the box that Tab goes to
    this.nodes = [];
    this.svg = element("svg:svg", { class: "seqkit-dag-picture", role: "group" });
    this.layer = element("svg:g");
    this.svg.append(this.layer);
    this.box = element("div", { class: "seqkit-dag-box" }, this.svg);
    this.chosen = -1;
    this.note = element("span", { class: "seqkit-dag-note" });
    this.legend = element("ul", { class: "seqkit-dag-legend", "aria-label": "statuses" });
    const buttons = [
      ["−", "zoom out (key -)", () => this.zoom(1 / ZOOM.step)],
      ["+", "zoom in (key +)", () => this.zoom(ZOOM.step)],
      ["1:1", "full size (key 1)", () => this.zoomTo(1)],
      ["all", "show all (key 0)", () => this.fit()],
    ].map(([text, title, action]) => {
      const button = element("button", { type: "button", title, "aria-label": title }, text);
      button.addEventListener("click", action);
      return button;
    });
    this.bar = element("div", { class: "seqkit-dag-bar" }, element("span", { class: "seqkit-dag-zoom" }, ...buttons), this.note);
    root.append(this.bar, this.box, this.legend);
    this.listen();
  }

  // -------------------------------------------------------------- building

  build() {
    const drawing = this.model.get("_drawing");
    const width = this.root.clientWidth;
    if (!width) {
      this.width = 0; // out of sight: built anew once it is seen
      return;
    }
    const focused = this.svg.contains(document.activeElement);
    const before = this.nodes[this.current]?.title;
    this.width = width;
    this.hasNotes = this.model.get("_state").notes.some(Boolean);
    this.svg.setAttribute("aria-label", this.model.get("label"));
    this.note.textContent = drawing.note;
    this.layer.replaceChildren();
    this.nodes = [];
    this.edges = [];
    const empty = !drawing.names.length;
    this.box.style.display = empty ? "none" : "";
    this.box.style.maxHeight = `clamp(280px, calc(100vh - ${this.model.get("beside")}px), 900px)`;
    this.bar.firstChild.style.display = empty ? "none" : "";
    if (!empty) {
      const font = getComputedStyle(this.svg);
      const context = document.createElement("canvas").getContext("2d");
      context.font = `${font.fontSize} ${font.fontFamily}`;
      const measure = (text) => context.measureText(text).width;
      const { boxes, paths, extent } = arranged(drawing, width, this.hasNotes, measure);
      this.extent = extent;
      this.edges = paths.map((d) => element("svg:path", { d, class: "seqkit-edge" }));
      this.nodes = boxes.map((box, i) => this.node(box, i, drawing.titles[i]));
      this.layer.append(...this.edges, ...this.nodes.map((node) => node.group));
      this.beside = drawing.names.map(() => ({ up: [], down: [] }));
      drawing.edges.forEach(([a, b], edge) => {
        this.beside[a].down.push([b, edge]);
        this.beside[b].up.push([a, edge]);
      });
      const again = drawing.titles.indexOf(before); // who walks by keyboard stays with a repo
      this.current = again >= 0 ? again : Math.min(this.current, this.nodes.length - 1);
      this.chosen = -1; // a new drawing scrolls to it anew
      this.scale = 1;
      const wide = extent.width > this.box.clientWidth; // then a bar lies below the picture
      this.box.style.height = `${Math.ceil(extent.height) + (wide ? 18 : 2)}px`;
      this.place();
      this.centre(0);
    }
    this.paint();
    if (focused && this.nodes.length) this.go(this.current);
  }

  node(box, i, title) {
    const outline = { rx: 5, width: box.width, height: box.height };
    const around = { x: -4, y: -4, rx: 8, width: box.width + 8, height: box.height + 8 };
    const mark = element("svg:text", { class: "seqkit-mark", x: PAD, y: box.height / 2 });
    const name = box.text.map((line, number) => {
      const y = box.height / 2 + (number - (box.text.length - 1) / 2) * LINE;
      return element("svg:text", { x: PAD + MARK, y }, line);
    });
    const note = element("svg:text", { class: "seqkit-note", x: box.width - PAD, y: box.height / 2 });
    const hint = element("svg:title", {}, title);
    const group = element(
      "svg:g",
      { class: "seqkit-node", role: "button", tabindex: -1, "data-number": i, transform: `translate(${box.x} ${box.y})` },
      element("svg:rect", { class: "seqkit-chosen", ...around }),
      element("svg:rect", { class: "seqkit-focus", ...around }),
      element("svg:rect", { class: "seqkit-box", ...outline }),
      element("svg:rect", { class: "seqkit-ring", ...outline }),
      mark,
      ...name,
      note,
      hint,
    );
    return { group, mark, note, hint, title, box };
  }

  paint() {
    const state = this.model.get("_state");
    const styles = this.model.get("_styles");
    const { titles, waves } = this.model.get("_drawing");
    if (state.words.length !== this.nodes.length) return; // of another drawing
    if (!this.hasNotes && state.notes.some(Boolean)) return this.build();
    const ringed = new Set(state.ringed);
    this.nodes.forEach((node, i) => {
      const shaded = state.shades[i];
      const [word, ...style] = styles[state.words[i]];
      const [colour, mark, ink] = shaded ? [shaded[0], "", shaded[1]] : style;
      const wave = waves[i] === null ? "not part of the release" : `wave ${waves[i]}`;
      const key = [word, colour, state.notes[i], ringed.has(i), i === state.chosen].join("\n");
      if (node.key === key) return;
      node.key = key;
      const how = shaded ? [`released with ${state.notes[i]}`] : [word, state.notes[i]];
      const held = ringed.has(i) && word !== "failed" ? this.model.get("rings") : "";
      const said = [titles[i], wave, ...how, held].filter(Boolean).join(", ");
      node.group.setAttribute("aria-label", said);
      node.group.setAttribute("aria-pressed", ringed.has(i));
      node.group.setAttribute("data-status", shaded ? "by chance" : word);
      node.group.style.setProperty("--seqkit-fill", colour);
      node.group.style.setProperty("--seqkit-ink", ink);
      node.group.classList.toggle("seqkit-ringed", ringed.has(i));
      node.group.classList.toggle("seqkit-is-chosen", i === state.chosen);
      node.mark.textContent = mark;
      node.note.textContent = state.notes[i];
      node.hint.textContent = said;
    });
    this.legend.replaceChildren(...this.entries(state, styles));
    if (state.chosen !== this.chosen) {
      this.chosen = state.chosen;
      if (this.chosen >= 0) {
        this.rove(this.chosen);
        this.reveal(this.chosen, true);
      }
    }
    this.rove(this.current);
  }

  /** List the statuses and how many there are of each; where boxes are filled by a probability, only what occurs. */
  entries(state, styles) {
    const list = styles.flatMap(([word, colour, mark, ink], i) => {
      if (state.shaded && !state.counts[i]) return [];
      const key = element("span", { class: "seqkit-key", "aria-hidden": "true" }, mark);
      key.style.background = colour;
      key.style.color = ink;
      const entry = element("li", {}, key, `${word} ${state.counts[i]}`);
      entry.classList.toggle("seqkit-none", !state.counts[i]);
      return [entry];
    });
    if (!state.shaded) return list;
    const scale = element("span", { class: "seqkit-scale", "aria-hidden": "true" });
    for (const colour of this.model.get("_scale")) {
      const step = element("span");
      step.style.background = colour;
      scale.append(step);
    }
    const told = element("li", { class: "seqkit-by-chance" }, `by chance ${state.shaded}: released with 0%`, scale, "100%");
    return [told, ...list];
  }

  // -------------------------------------------------------------- zooming and scrolling

  /** Shrink the picture until all of it is seen. */
  fit() {
    const { width, height } = this.extent;
    this.scale = Math.max(ZOOM.least, Math.min(1, this.box.clientWidth / width, this.box.clientHeight / height));
    this.place();
  }

  zoom(factor, x, y) {
    this.zoomTo(this.scale * factor, x, y);
  }

  /** Zoom around a point of the box, by default its middle. */
  zoomTo(scale, x = this.box.clientWidth / 2, y = this.box.clientHeight / 2) {
    const [along, down] = [(this.box.scrollLeft + x - this.margin) / this.scale, (this.box.scrollTop + y) / this.scale];
    this.scale = Math.min(ZOOM.most, Math.max(ZOOM.least, scale));
    this.place();
    this.box.scrollLeft = along * this.scale + this.margin - x;
    this.box.scrollTop = down * this.scale - y;
  }

  /** Give the picture its size; one that is narrower than its box stands in the middle. */
  place() {
    const { x, y, width, height } = this.extent;
    const room = this.box.clientWidth;
    this.margin = Math.max(0, (room - width * this.scale) / 2);
    this.svg.style.width = `${Math.max(room, Math.ceil(width * this.scale))}px`;
    this.svg.style.height = `${Math.ceil(height * this.scale)}px`;
    this.layer.setAttribute("transform", `translate(${this.margin - x * this.scale} ${-y * this.scale}) scale(${this.scale})`);
  }

  /** Say where a box is in the scrolled picture. */
  spot(i) {
    const { x, y, width, height } = this.nodes[i].box;
    const [left, top] = [(x - this.extent.x) * this.scale + this.margin, (y - this.extent.y) * this.scale];
    return { left, top, right: left + width * this.scale, bottom: top + height * this.scale };
  }

  centre(i) {
    const { left, top, right, bottom } = this.spot(i);
    this.box.scrollLeft = (left + right - this.box.clientWidth) / 2;
    this.box.scrollTop = (top + bottom - this.box.clientHeight) / 2;
  }

  /** Scroll to a box that is out of sight: just so far, or until it is in the middle. */
  reveal(i, middle = false) {
    const { left, top, right, bottom } = this.spot(i);
    const { scrollLeft, scrollTop, clientWidth, clientHeight } = this.box;
    const shift = (low, high, from, room) => (low < from + 8 ? low - from - 8 : high > from + room - 8 ? high - from - room + 8 : 0);
    const [across, down] = [shift(left, right, scrollLeft, clientWidth), shift(top, bottom, scrollTop, clientHeight)];
    if (!across && !down) return;
    if (middle) return this.centre(i);
    this.box.scrollLeft += across;
    this.box.scrollTop += down;
  }

  // -------------------------------------------------------------- keyboard and pointer

  rove(i) {
    if (!this.nodes.length) return;
    this.nodes[this.current].group.setAttribute("tabindex", -1);
    this.current = i;
    this.nodes[i].group.setAttribute("tabindex", 0);
  }

  go(i) {
    this.rove(i);
    this.reveal(i);
    this.nodes[i].group.focus({ preventScroll: true });
    this.box.scrollIntoView({ block: "nearest" });
  }

  /** Find the nearest box in a direction; what lies aside counts more than what lies ahead. */
  towards(dx, dy) {
    const from = this.nodes[this.current].box;
    let [best, least] = [this.current, Infinity];
    this.nodes.forEach(({ box }, i) => {
      const [x, y] = [box.x + box.width / 2 - from.x - from.width / 2, box.y + box.height / 2 - from.y - from.height / 2];
      const [ahead, aside] = dx ? [dx * x, Math.abs(y)] : [dy * y, Math.abs(x)];
      const cost = ahead + 2.5 * aside;
      if (ahead > 1 && cost < least) [best, least] = [i, cost];
    });
    return best;
  }

  press(i) {
    this.rove(i);
    this.model.send({ press: i, drawing: this.model.get("_drawing").drawing });
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || !this.nodes.length) return;
    const actions = {
      ArrowLeft: () => this.go(this.towards(-1, 0)),
      ArrowRight: () => this.go(this.towards(1, 0)),
      ArrowUp: () => this.go(this.towards(0, -1)),
      ArrowDown: () => this.go(this.towards(0, 1)),
      Home: () => this.go(0),
      End: () => this.go(this.nodes.length - 1),
      Enter: () => this.press(this.current),
      " ": () => this.press(this.current),
      "+": () => this.zoom(ZOOM.step),
      "=": () => this.zoom(ZOOM.step),
      "-": () => this.zoom(1 / ZOOM.step),
      0: () => this.fit(),
      1: () => this.zoomTo(1),
    };
    if (!(event.key in actions)) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.repeat && (event.key === "Enter" || event.key === " ")) return;
    actions[event.key]();
  }

  /** Show what a box needs and what needs it. */
  highlight(start) {
    this.edges.forEach((edge) => edge.classList.remove("seqkit-near"));
    if (start === null) return;
    for (const way of ["up", "down"]) {
      const [waiting, seen] = [[start], new Set([start])];
      while (waiting.length) {
        for (const [other, edge] of this.beside[waiting.pop()][way]) {
          this.edges[edge].classList.add("seqkit-near");
          if (!seen.has(other)) waiting.push(other);
          seen.add(other);
        }
      }
    }
  }

  listen() {
    const number = (event) => {
      const group = event.target.closest("[data-number]");
      return group === null ? null : Number(group.dataset.number);
    };
    const { svg } = this;
    let drag = null; // where the pointer went down, until it is up
    let dragged = false; // a click that ends a drag is no press
    svg.addEventListener("pointerdown", (event) => {
      dragged = false;
      if (event.button === 0) drag = { x: event.clientX, y: event.clientY, from: [this.box.scrollLeft, this.box.scrollTop] };
    });
    svg.addEventListener("pointermove", (event) => {
      if (drag && !event.buttons) drag = null; // it was let go outside
      if (!drag) return;
      const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
      if (!dragged && Math.hypot(dx, dy) < DRAG) return;
      if (!dragged) svg.setPointerCapture(event.pointerId);
      dragged = true;
      [this.box.scrollLeft, this.box.scrollTop] = [drag.from[0] - dx, drag.from[1] - dy];
    });
    for (const end of ["pointerup", "pointercancel"]) svg.addEventListener(end, () => (drag = null));
    svg.addEventListener("click", (event) => {
      const i = number(event);
      if (dragged || i === null) return;
      this.nodes[i].group.focus({ preventScroll: true });
      this.press(i);
    });
    svg.addEventListener(
      "wheel",
      (event) => {
        if (!event.ctrlKey && !event.metaKey) return; // the wheel alone scrolls, the picture first and then the page
        event.preventDefault();
        if (!event.deltaY) return;
        const frame = this.box.getBoundingClientRect();
        this.zoom(event.deltaY < 0 ? 1.1 : 1 / 1.1, event.clientX - frame.x, event.clientY - frame.y);
      },
      { passive: false },
    );
    svg.addEventListener("keydown", (event) => this.key(event));
    // On the root: listening on an SVG makes it a tab stop of its own.
    this.root.addEventListener("focusin", (event) => {
      const i = number(event);
      if (i !== null) {
        this.rove(i);
        this.highlight(i);
      }
    });
    this.root.addEventListener("focusout", () => this.highlight(null));
    svg.addEventListener("pointerover", (event) => number(event) !== null && this.highlight(number(event)));
    svg.addEventListener("pointerout", () => this.highlight(svg.contains(document.activeElement) ? this.current : null));
  }
}

function render({ model, el }) {
  const root = element("div", { class: "seqkit-dag", "data-lm-suppress-shortcuts": "true" });
  el.append(root);
  const picture = new Picture(model, root);
  let still = null;
  const observer = new ResizeObserver(() => {
    if (!root.isConnected || !root.clientWidth) return;
    still ??= stillBefore(el);
    if (still) still.style.display = "none";
    speakAloud(el);
    if (root.clientWidth !== picture.width) picture.build();
  });
  observer.observe(root);
  const build = () => picture.build();
  const paint = () => picture.width && picture.paint();
  model.on("change:_drawing", build);
  model.on("change:_state", paint);
  return () => {
    observer.disconnect();
    model.off("change:_drawing", build);
    model.off("change:_state", paint);
    if (still) still.style.display = "";
  };
}

export default { render };

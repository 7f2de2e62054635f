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
    this.note = element("span", { class: "seqkit-dag-note" });
    this.legend = element("ul", { class: "seqkit-dag-legend", "aria-label": "statuses" });
    const buttons = [
      ["−", "zoom out (key -)", () => this.zoom(1 / ZOOM.step)],
      ["+", "zoom in (key +)", () => this.zoom(ZOOM.step)],
      ["all", "show all (key 0)", () => this.fit()],
    ].map(([text, title, action]) => {
      const button = element("button", { type: "button", title, "aria-label": title }, text);
      button.addEventListener("click", action);
      return button;
    });
    this.bar = element("div", { class: "seqkit-dag-bar" }, element("span", { class: "seqkit-dag-zoom" }, ...buttons), this.note);
    root.append(this.bar, this.svg, this.legend);
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
    this.svg.style.display = empty ? "none" : "";
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
      this.fit();
    }
    this.paint();
    if (focused && this.nodes.length) this.go(this.current);
  }

  node(box, i, title) {
    const outline = { rx: 5, width: box.width, height: box.height };
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
      element("svg:rect", { class: "seqkit-focus", x: -4, y: -4, rx: 8, width: box.width + 8, height: box.height + 8 }),
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
      const [word, colour, mark, ink] = styles[state.words[i]];
      const wave = waves[i] === null ? "not part of the release" : `wave ${waves[i]}`;
      const key = [word, state.notes[i], ringed.has(i)].join("\n");
      if (node.key === key) return;
      node.key = key;
      const said = [titles[i], wave, word, state.notes[i]].filter(Boolean).join(", ");
      node.group.setAttribute("aria-label", said);
      node.group.setAttribute("aria-pressed", ringed.has(i));
      node.group.setAttribute("data-status", word);
      node.group.style.setProperty("--seqkit-fill", colour);
      node.group.style.setProperty("--seqkit-ink", ink);
      node.group.classList.toggle("seqkit-ringed", ringed.has(i));
      node.mark.textContent = mark;
      node.note.textContent = state.notes[i];
      node.hint.textContent = said;
    });
    this.legend.replaceChildren(
      ...styles.map(([word, colour, mark, ink], i) => {
        const key = element("span", { class: "seqkit-key", "aria-hidden": "true" }, mark);
        key.style.background = colour;
        key.style.color = ink;
        const entry = element("li", {}, key, `${word} ${state.counts[i]}`);
        entry.classList.toggle("seqkit-none", !state.counts[i]);
        return entry;
      }),
    );
    this.rove(this.current);
  }

  // -------------------------------------------------------------- zooming

  fit() {
    const { width, height } = this.extent;
    this.scale = wholeScale(this.extent, this.width);
    this.svg.style.height = `${Math.ceil(Math.max(height * this.scale, 40))}px`;
    this.x = (this.width - width * this.scale) / 2 - this.extent.x * this.scale;
    this.y = -this.extent.y * this.scale;
    this.place();
  }

  zoom(factor, x = this.width / 2, y = this.svg.clientHeight / 2) {
    const scale = Math.min(ZOOM.most, Math.max(ZOOM.least, this.scale * factor));
    this.x = x - ((x - this.x) * scale) / this.scale;
    this.y = y - ((y - this.y) * scale) / this.scale;
    this.scale = scale;
    this.place();
  }

  place() {
    this.layer.setAttribute("transform", `translate(${this.x} ${this.y}) scale(${this.scale})`);
  }

  /** Move a box into the picture, where zooming or dragging has left it outside. */
  reveal(i) {
    const { x, y, width, height } = this.nodes[i].box;
    const shift = (begin, size, room, offset) => {
      const [low, high] = [begin * this.scale + offset, (begin + size) * this.scale + offset];
      return low < 6 ? 6 - low : high > room - 6 ? room - 6 - high : 0;
    };
    const [right, down] = [shift(x, width, this.width, this.x), shift(y, height, this.svg.clientHeight, this.y)];
    if (!right && !down) return;
    this.x += right;
    this.y += down;
    this.place();
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
    this.nodes[i].group.focus({ preventScroll: false });
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
      if (event.button === 0) drag = { x: event.clientX, y: event.clientY, from: [this.x, this.y] };
    });
    svg.addEventListener("pointermove", (event) => {
      if (drag && !event.buttons) drag = null; // it was let go outside
      if (!drag) return;
      const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
      if (!dragged && Math.hypot(dx, dy) < DRAG) return;
      if (!dragged) svg.setPointerCapture(event.pointerId);
      dragged = true;
      [this.x, this.y] = [drag.from[0] + dx, drag.from[1] + dy];
      this.place();
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
        // A page must still scroll past the picture: the wheel zooms where the picture has the focus, or with Ctrl.
        if (!event.ctrlKey && !event.metaKey && !svg.contains(document.activeElement)) return;
        event.preventDefault();
        if (!event.deltaY) return;
        const frame = svg.getBoundingClientRect();
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

// Runs by repos as a table: one tab stop, arrows from cell to cell, Enter presses. All text is set as text.
// still.js comes before.

function made(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function chip(style, text = style[2]) {
  const key = made("span", { class: "seqkit-grid-key", "aria-hidden": "true" }, text);
  key.style.background = style[1];
  key.style.color = style[3];
  return key;
}

class Grid {
  constructor(model, root) {
    this.model = model;
    this.at = [0, -1]; // the cell that Tab goes to; column -1 is the run's name
    this.cells = [];
    this.note = made("div", { class: "seqkit-grid-note" });
    this.box = made("div", { class: "seqkit-grid-box" });
    this.legend = made("ul", { class: "seqkit-grid-legend", "aria-label": "statuses in the grid" });
    root.append(this.note, this.box, this.legend);
    this.box.addEventListener("click", (event) => {
      const place = this.placeOf(event.target);
      if (place) this.go(place, true);
    });
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.box.addEventListener("focusin", (event) => {
      const place = this.placeOf(event.target);
      if (place) this.rove(place);
    });
    this.build();
  }

  placeOf(target) {
    const cell = target.closest("[data-place]");
    return cell === null ? null : cell.dataset.place.split(" ").map(Number);
  }

  build() {
    const { rows, repos, marked, note, number, counts } = this.model.get("_grid");
    const styles = this.model.get("_styles");
    const focused = this.box.contains(document.activeElement);
    const [left, top] = [this.box.scrollLeft, this.box.scrollTop];
    const isMarked = new Set(marked);
    this.note.textContent = note;
    const heads = repos.map(([name, title], c) => {
      const head = made("th", { scope: "col", title, class: isMarked.has(c) ? "seqkit-grid-marked" : "" });
      head.append(made("span", {}, name));
      return head;
    });
    const corner = made("th", { scope: "col", class: "seqkit-grid-corner" }, "run");
    this.cells = rows.map((row, r) => {
      const head = made("th", { scope: "row", tabindex: -1, "data-place": `${r} -1`, "aria-label": row.said, title: row.said });
      head.append(chip(row.style), ` ${row.name}`);
      const cells = row.words.map((word, c) => {
        const where = `${repos[c][1]}, ${row.name}`;
        const tries = row.tries[c];
        const cell = made("td", { role: "gridcell", tabindex: -1, "data-place": `${r} ${c}` });
        const style = word < 0 ? null : styles[word];
        const times = tries > 1 ? `, ${tries} attempts` : "";
        const said = style ? `${where}: ${style[0]}${times}` : `${where}: not in this run`;
        cell.setAttribute("aria-label", said);
        cell.title = said;
        if (isMarked.has(c)) cell.classList.add("seqkit-grid-marked");
        if (style) {
          cell.dataset.status = style[0];
          cell.style.background = style[1];
          cell.style.color = style[3];
          cell.textContent = style[2];
          if (tries > 1) cell.append(made("sup", {}, tries > 9 ? "+" : `${tries}`));
        }
        return cell;
      });
      return [head, ...cells];
    });
    const lines = this.cells.map((cells) => made("tr", { role: "row" }, ...cells));
    const table = made(
      "table",
      { role: "grid", "aria-label": this.model.get("label") },
      made("thead", {}, made("tr", { role: "row" }, corner, ...heads)),
      made("tbody", {}, ...lines),
    );
    this.box.replaceChildren(table);
    if (number !== this.number && marked.length) this.show(heads[marked[0]]);
    else [this.box.scrollLeft, this.box.scrollTop] = [left, top];
    this.number = number;
    this.legend.replaceChildren(
      ...counts.map(([word, n]) => made("li", {}, chip(styles[word]), ` ${styles[word][0]} ${n}`)),
    );
    this.rove(this.within(this.at));
    this.choose();
    if (focused) this.cell(this.at)?.focus({ preventScroll: true });
  }

  /** Scroll sideways until a column's head stands free of the names of the runs. */
  show(head) {
    const names = this.cells[0]?.[0].offsetWidth ?? 0;
    this.box.scrollLeft = Math.max(0, head.offsetLeft - names - 40);
  }

  within([r, c]) {
    const { rows, repos } = this.model.get("_grid");
    return [Math.max(0, Math.min(r, rows.length - 1)), Math.max(-1, Math.min(c, repos.length - 1))];
  }

  cell([r, c]) {
    return this.cells[r]?.[c + 1];
  }

  rove(place) {
    this.cell(this.at)?.setAttribute("tabindex", -1);
    this.at = place;
    this.cell(place)?.setAttribute("tabindex", 0);
  }

  go(place, press = false) {
    const cell = this.cell(place);
    if (!cell) return;
    this.rove(place);
    cell.focus({ preventScroll: true });
    const [names, head] = [this.cells[0][0].offsetWidth, this.box.querySelector("thead").offsetHeight];
    const { box } = this;
    if (place[1] >= 0) {
      if (cell.offsetLeft < box.scrollLeft + names) box.scrollLeft = cell.offsetLeft - names;
      const right = cell.offsetLeft + cell.offsetWidth - box.clientWidth;
      if (right > box.scrollLeft) box.scrollLeft = right;
    }
    if (cell.offsetTop < box.scrollTop + head) box.scrollTop = cell.offsetTop - head;
    const bottom = cell.offsetTop + cell.offsetHeight - box.clientHeight;
    if (bottom > box.scrollTop) box.scrollTop = bottom;
    if (press) this.model.send({ press: place, number: this.number });
  }

  choose() {
    const [run, repo] = this.model.get("_chosen");
    this.cells.forEach((cells, r) =>
      cells.forEach((cell, c) => {
        const chosen = r === run && (c === 0 || c - 1 === repo);
        cell.classList.toggle("seqkit-grid-chosen", chosen);
        cell.setAttribute("aria-selected", chosen);
      }),
    );
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || !this.cells.length) return;
    const [r, c] = this.at;
    const { repos, rows } = this.model.get("_grid");
    const moves = {
      ArrowLeft: [r, c - 1],
      ArrowRight: [r, c + 1],
      ArrowUp: [r - 1, c],
      ArrowDown: [r + 1, c],
      Home: [r, -1],
      End: [r, repos.length - 1],
      PageUp: [0, c],
      PageDown: [rows.length - 1, c],
      Enter: [r, c],
      " ": [r, c],
    };
    if (!(event.key in moves)) return;
    event.preventDefault();
    event.stopPropagation();
    const press = event.key === "Enter" || event.key === " ";
    if (press && event.repeat) return;
    this.go(this.within(moves[event.key]), press);
  }
}

function render({ model, el }) {
  const root = made("div", { class: "seqkit-grid", "data-lm-suppress-shortcuts": "true" });
  el.append(root);
  const grid = new Grid(model, root);
  const build = () => grid.build();
  const choose = () => grid.choose();
  let still = null;
  const observer = new ResizeObserver(() => {
    if (!root.isConnected || !root.clientWidth) return;
    still ??= stillBefore(el);
    if (still) still.style.display = "none";
    speakAloud(el);
  });
  observer.observe(root);
  model.on("change:_grid", build);
  model.on("change:_chosen", choose);
  return () => {
    observer.disconnect();
    model.off("change:_grid", build);
    model.off("change:_chosen", choose);
    if (still) still.style.display = "";
  };
}

export default { render };

// Where the boxes and lines of a graph go, in pixels. dag.js follows: the two are one module.

const LINE = 13; // px from one line of a name to the next
const PAD = 7;
const MARK = 15; // room for the mark, before the name
const NOTE = 38; // room for a note, after the name
const WIDEST = { right: 150, down: 104 }; // of a name's line, by the direction of the drawing
const LEVEL_GAP = { right: 26, down: 26 };
const BOX_GAP = { right: 7, down: 12 };
const TALLEST = 640; // px

// ---------------------------------------------------------------- names

/** Cut a line in its middle until it fits. */
function fitted(text, width, measure) {
  if (measure(text) <= width) return text;
  const chars = Array.from(text);
  for (let keep = chars.length - 1; keep > 1; keep--) {
    const tail = Math.floor(keep / 2);
    const cut = chars.slice(0, keep - tail).join("") + "…" + chars.slice(chars.length - tail).join("");
    if (measure(cut) <= width) return cut;
  }
  return "…";
}

/** Break a name into at most two lines, after a hyphen, dot, slash or the like. */
function lines(name, width, measure) {
  if (measure(name) <= width) return [name];
  const pieces = name.match(/[^-_./@: ]*[-_./@: ]?/gu).filter(Boolean);
  let first = "";
  while (pieces.length > 1 && measure(first + pieces[0]) <= width) first += pieces.shift();
  if (!first) return [fitted(name, width, measure)];
  return [first, fitted(pieces.join(""), width, measure)];
}

// ---------------------------------------------------------------- where things go

/** Turn columns and rows into pixels, from left to right or from top to bottom. */
function geometry(drawing, direction, hasNotes, measure) {
  const down = direction === "down";
  const texts = drawing.names.map((name) => lines(name, WIDEST[direction], measure));
  const tall = Math.max(1, ...texts.map((text) => text.length)) * LINE + PAD;
  const widths = texts.map((text) => 2 * PAD + MARK + Math.max(...text.map(measure)) + (hasNotes ? NOTE : 0));
  const widest = Math.max(...widths);
  const levels = 1 + Math.max(...drawing.spots.map(([column]) => column));
  const thick = new Array(levels).fill(down ? tall : 0);
  if (!down) drawing.spots.forEach(([column], i) => (thick[column] = Math.max(thick[column], widths[i])));
  const starts = [0];
  for (const size of thick) starts.push(starts[starts.length - 1] + size + LEVEL_GAP[direction]);
  const unit = (down ? widest : tall) + BOX_GAP[direction];
  const point = (along, row) => (down ? [row * unit, along] : [along, row * unit]);
  const boxes = drawing.spots.map(([column, row], i) => {
    const width = down ? widest : thick[column];
    const [x, y] = point(starts[column] + thick[column] / 2, row);
    return { x: x - width / 2, y: y - tall / 2, width, height: tall, text: texts[i] };
  });
  const paths = drawing.edges.map(([, , route]) => {
    let path = "";
    for (let i = 1; i < route.length; i++) {
      const [[column, row], [next, nextRow]] = [route[i - 1], route[i]];
      const begin = starts[column] + thick[column];
      const end = starts[next];
      const middle = (begin + end) / 2;
      if (i === 1) path += `M${point(begin, row)}`;
      path += `C${point(middle, row)} ${point(middle, nextRow)} ${point(end, nextRow)}`;
      if (i < route.length - 1) path += `L${point(end + thick[next], nextRow)}`;
    }
    return path;
  });
  const rows = drawing.edges.flatMap(([, , route]) => route.map(([, row]) => row * unit));
  const across = boxes.flatMap((box) => (down ? [box.x, box.x + box.width] : [box.y, box.y + box.height])).concat(rows);
  const [low, high] = [Math.min(...across) - 8, Math.max(...across) + 8];
  const [near, far] = [-8, starts[levels] - LEVEL_GAP[direction] + 8];
  const extent = down
    ? { x: low, y: near, width: high - low, height: far - near }
    : { x: near, y: low, width: far - near, height: high - low };
  return { boxes, paths, extent };
}

/** Say how far a drawing would have to shrink to be seen as a whole. */
function wholeScale(extent, width) {
  return Math.min(1, width / extent.width, TALLEST / extent.height);
}

/** Take the direction in which more of the picture is seen on this page. */
function arranged(drawing, width, hasNotes, measure) {
  const tried = ["right", "down"].map((direction) => {
    const made = geometry(drawing, direction, hasNotes, measure);
    return { made, scale: wholeScale(made.extent, width) };
  });
  return tried[1].scale > tried[0].scale * 1.15 ? tried[1].made : tried[0].made;
}

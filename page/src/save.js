/** Charts to take along: their numbers as CSV, and a picture that says what it is and what made it. */
import { about } from "./about.svelte.js";
import { colorsOf } from "./field.js";

const LOOK = ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "font-size", "font-family", "text-anchor"];
const SCALE = 2, WIDTH = 640, EDGE = 16, LINE = 18;

/** Hand a file to the visitor. */
export function hand(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

export function saveTable(rows, name) {
  hand(new Blob([rows.map((row) => row.join(",")).join("\n") + "\n"], { type: "text/csv" }), `${name}.csv`);
}

/** Put a text on the clipboard; return whether that was allowed. */
export async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** An SVG as an image, with what the page's style sheet gives it written into it. */
async function still(svg) {
  const copy = svg.cloneNode(true);
  const [from, to] = [[svg, ...svg.querySelectorAll("*")], [copy, ...copy.querySelectorAll("*")]];
  from.forEach((one, i) => LOOK.forEach((name) => to[i].setAttribute(name, getComputedStyle(one).getPropertyValue(name))));
  const { width, height } = svg.getBoundingClientRect();
  copy.setAttribute("width", width * SCALE);
  copy.setAttribute("height", height * SCALE);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
  await image.decode();
  return image;
}

/** Return a text as lines that fit a width, in the font of the brush. */
export function wrap(brush, text, width) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (brush.measureText(longer).width <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** Save the pictures of a figure with a title and what made them: those of a map over each other, others below each other. */
export async function savePicture(figure, title, made, name) {
  const seen = [...figure.querySelectorAll("svg, canvas")].filter((one) => !one.hidden && !one.closest("figcaption, .kind"));
  const area = figure.querySelector(".box");
  const ratios = seen.map((one) => one.getBoundingClientRect()).map((box) => box.height / box.width);
  const inner = WIDTH - 2 * EDGE;
  const heights = ratios.map((ratio) => inner * ratio);
  const canvas = document.createElement("canvas");
  const brush = canvas.getContext("2d");
  const style = getComputedStyle(document.body);
  const font = `13px ${style.fontFamily}`;
  brush.font = font;
  const lines = wrap(brush, made, inner);
  const body = area ? heights[0] : heights.reduce((sum, h) => sum + h + 6, 0);
  canvas.width = WIDTH * SCALE;
  canvas.height = (EDGE * 3 + 46 + body + lines.length * LINE) * SCALE;
  brush.scale(SCALE, SCALE);
  brush.fillStyle = style.backgroundColor;
  brush.fillRect(0, 0, canvas.width, canvas.height);
  brush.fillStyle = style.color;
  brush.font = `600 17px ${style.fontFamily}`;
  brush.fillText(title, EDGE, EDGE + 14);
  brush.font = font;
  let x = EDGE;
  const colors = colorsOf(document.body);
  for (const [a, { name: kind }] of about.it.categories.entries()) {
    brush.fillStyle = colors[a];
    brush.fillRect(x, EDGE + 28, 10, 10);
    brush.fillStyle = style.color;
    brush.fillText(kind, x + 15, EDGE + 38);
    x += brush.measureText(kind).width + 32;
  }
  let y = EDGE + 46;
  for (const [i, one] of seen.entries()) {
    brush.drawImage(one.matches("canvas") ? one : await still(one), EDGE, y, inner, heights[i]);
    if (!area) y += heights[i] + 6;
  }
  brush.fillStyle = style.color;
  brush.font = font;
  lines.forEach((line, i) => brush.fillText(line, EDGE, EDGE + 46 + body + EDGE + 8 + i * LINE));
  canvas.toBlob((blob) => hand(blob, `${name}.png`));
}

// Colours, shapes and text on a canvas; all of them go by the system's wish for dark or light.

/** The palette is that of Okabe and Ito, made lighter or darker so that text on it can be read. */
const PALETTES = {
  light: {
    back: "#ffffff", text: "#1b1f24", faint: "#68707a", line: "#d5dae0", accent: "#0072b2",
    hatch: "rgba(20, 25, 30, 0.22)", veil: "rgba(255, 255, 255, 0.72)", mark: "#c0392b",
    onFrame: "#14181d",
    frames: {
      native: [209, 62, 77], python: [41, 85, 70], java: [132, 38, 72], inlined: [196, 62, 88], kernel: [18, 70, 80],
      thread: [215, 12, 88], standIn: [215, 8, 93],
    },
    states: {
      running: "#009e73", waiting: "#e69f00", blocked: "#c3ced9", uninterruptible: "#cc79a7",
      stopped: "#d55e00", unknown: "#eceff2",
      lock: "#e5a79c", io: "#9cc3e6", sleep: "#d6d3c4", event: "#c7b9dd", rest: "#e6eaee",
    },
    onState: {
      running: "#ffffff", waiting: "#1b1f24", blocked: "#2d3640", uninterruptible: "#1b1f24",
      stopped: "#ffffff", unknown: "#4a525b", lock: "#3a1410", io: "#0f2a43", sleep: "#33301f", event: "#2a1c42",
      rest: "#4a525b",
    },
    more: [20, 85], less: [205, 75], same: "#e1e5e9", changeLightness: [90, 56],
  },
  dark: {
    back: "#15181c", text: "#e6e9ed", faint: "#98a2ad", line: "#343b44", accent: "#56b4e9",
    hatch: "rgba(255, 255, 255, 0.20)", veil: "rgba(21, 24, 28, 0.74)", mark: "#ff8a75",
    onFrame: "#f4f6f8",
    frames: {
      native: [207, 55, 36], python: [36, 75, 31], java: [134, 34, 28], inlined: [198, 38, 25], kernel: [16, 58, 36],
      thread: [215, 12, 26], standIn: [215, 8, 20],
    },
    states: {
      running: "#00a67b", waiting: "#d99a0b", blocked: "#3b4653", uninterruptible: "#b4658f",
      stopped: "#c75d14", unknown: "#262b31",
      lock: "#80453c", io: "#2f5f8a", sleep: "#4c4a3c", event: "#5a4a78", rest: "#23282e",
    },
    onState: {
      running: "#04120d", waiting: "#1b1400", blocked: "#cfd6dd", uninterruptible: "#1d0713",
      stopped: "#1b0b00", unknown: "#98a2ad", lock: "#fbe3df", io: "#e2effb", sleep: "#eceadf", event: "#ece5f8",
      rest: "#98a2ad",
    },
    more: [20, 75], less: [203, 70], same: "#2c323a", changeLightness: [26, 44],
  },
};

const darkWish = typeof matchMedia === "function"
  ? matchMedia("(prefers-color-scheme: dark)") : { matches: false };
const printing = { isOn: false };

const palette = () => (darkWish.matches && !printing.isOn ? PALETTES.dark : PALETTES.light);

const FONT = "12px system-ui, -apple-system, \"Segoe UI\", Roboto, \"Noto Sans\", sans-serif";

/** A number from 0 to 1 that is the same for the same text. */
function scatter(text) {
  let hash = 2166136261;
  for (let at = 0; at < Math.min(text.length, 200); at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 16777619);
  }
  return (hash >>> 8) / (1 << 24);
}

/** A colour of a family; functions of one family differ a little, so that neighbours part. */
function familyColor(family, text) {
  const [hue, saturation, lightness] = palette().frames[family];
  const spread = scatter(text) - 0.5;
  return `hsl(${hue + spread * 14} ${saturation}% ${(lightness + spread * 9).toFixed(1)}%)`;
}

/** Makes a canvas as sharp as the screen, and returns what to draw on. */
function prepare(canvas, width, height) {
  const ratio = Math.min(globalThis.devicePixelRatio || 1, 3);
  const [deviceWidth, deviceHeight] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== deviceWidth) canvas.width = deviceWidth;
  if (canvas.height !== deviceHeight) canvas.height = deviceHeight;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.font = FONT;
  context.textBaseline = "middle";
  context.fillStyle = palette().back;
  context.fillRect(0, 0, width, height);
  return context;
}

const textWidths = new Map();

/** The width of a text in the font of the canvas. */
function textWidth(context, text) {
  let width = textWidths.get(text);
  if (width === undefined) {
    if (textWidths.size > 50000) textWidths.clear();
    width = context.measureText(text).width;
    textWidths.set(text, width);
  }
  return width;
}

/** The text, or its beginning with `…`, that fits; empty when not even a few letters do. */
function fitted(context, text, room) {
  if (room < 14) return "";
  const long = text.length > 260 ? text.slice(0, 260) : text;
  if (text.length <= 260 && textWidth(context, long) <= room) return long;
  let [low, high] = [0, long.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (context.measureText(`${long.slice(0, middle)}…`).width <= room) low = middle;
    else high = middle - 1;
  }
  return low > 1 ? `${long.slice(0, low)}…` : "";
}

/** Diagonal lines over a box. */
function hatch(context, x, y, width, height, color) {
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.strokeStyle = color ?? palette().hatch;
  context.lineWidth = 1.5;
  context.beginPath();
  const end = Math.min(x + width, x + 6000);
  for (let at = x - height; at < end; at += 7) {
    context.moveTo(at, y + height);
    context.lineTo(at + height, y);
  }
  context.stroke();
  context.restore();
}

/** Fills the shape of a family: kernel frames have cut corners, those of Python and Java round ones. */
function fillShape(context, family, x, y, width, height) {
  context.beginPath();
  if ((family === "python" || family === "java") && width > 5) {
    context.roundRect(x, y, width, height, Math.min(7, width / 2));
  } else if (family === "kernel" && width > 10) {
    context.moveTo(x + 6, y);
    context.lineTo(x + width - 6, y);
    context.lineTo(x + width, y + height / 2);
    context.lineTo(x + width - 6, y + height);
    context.lineTo(x + 6, y + height);
    context.lineTo(x, y + height / 2);
    context.closePath();
  } else context.rect(x, y, width, height);
  context.fill();
  if (family === "inlined" && width > 8) {
    // As a call that the compiler folded away: a dotted line in place of an edge.
    context.save();
    context.strokeStyle = palette().faint;
    context.lineWidth = 1;
    context.setLineDash([1.5, 2.5]);
    context.beginPath();
    context.moveTo(x + 1, y + height - 0.5);
    context.lineTo(x + width - 1, y + height - 0.5);
    context.moveTo(x + 1, y + 0.5);
    context.lineTo(x + width - 1, y + 0.5);
    context.stroke();
    context.restore();
  }
}

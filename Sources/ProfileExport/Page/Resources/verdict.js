// The head of the page: the verdict, and who waits for whom.

/** The head of a page on one capture. */
function profileHeader(profile, data) {
  const { capture, verdict } = profile;
  const sections = [
    element("p", { class: "over" }, "sprof ", data.version, " · ", name(capture.name),
      capture.start > 0 ? ` · ${localTime(capture.start)}` : "",
      capture.host ? [" · ", name(capture.host)] : null),
  ];
  if (verdict) {
    sections.push(element("h1", { id: "verdict", class: `verdict ${tone(verdict.kind)}` },
      name(verdict.words, 4000)));
    if (verdict.nodes.length > 0) sections.push(chainDrawing(verdict));
    if (verdict.chain.length > 0) {
      sections.push(element("details", { class: "about" }, element("summary", {}, "In words"),
        verdict.chain.map((line) => element("p", {}, name(line, 2000)))));
    }
  } else sections.push(element("h1", { class: "verdict" }, name(capture.name)));
  const details = element("details", { class: "about" },
    element("summary", {}, name(capture.words[0] ?? "", 2000)),
    capture.words.slice(1).map((line) => element("p", {}, name(line, 2000))),
    capture.command.length > 0
      ? element("p", {}, "Command: ", element("code", {}, name(capture.command.join(" "), 2000))) : null,
    capture.kernel ? element("p", {}, "Kernel: ", name(capture.kernel)) : null);
  sections.push(details);
  for (const note of capture.notes) {
    sections.push(element("p", { class: "note" }, "note: ", name(note, 4000)));
  }
  return sections;
}

/** How bad a verdict is, as a class of style. */
function tone(kind) {
  if (/deadlock|orphaned|hung/.test(kind)) return "bad";
  return /busy|starved|slow|froze/.test(kind) ? "warm" : "calm";
}

function localTime(seconds) {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return "";
  return date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

const BOX_WIDTH = 232;
const BOX_HEIGHT = 76;
const ARROW = 214;

/** Text of SVG in at most `count` lines of about `width` characters. */
function wrapped(text, width, count) {
  const lines = [""];
  for (const word of printable(text.slice(0, 2000)).split(" ")) {
    const last = lines[lines.length - 1];
    if (last === "" || last.length + 1 + word.length <= width) {
      lines[lines.length - 1] = last ? `${last} ${word}` : word;
    } else lines.push(word);
  }
  const shown = lines.slice(0, count);
  if (lines.length > count) shown[count - 1] += " …";
  return shown.map((line) => shortened(line, width + 2));
}

/** The chain as boxes with arrows between them; a cycle leads back to the first. */
function chainDrawing(verdict) {
  const isNarrow = globalThis.innerWidth < 700;
  const { parts, width, height } = isNarrow ? columnOfBoxes(verdict) : rowOfBoxes(verdict);
  const picture = drawing("svg", {
    viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": verdict.chain.join("; "),
  }, arrowHead(), ...parts);
  picture.style.width = `min(100%, ${width}px)`;
  // Smaller letters could not be read: then it scrolls.
  picture.style.minWidth = `${Math.round(width * 0.72)}px`;
  return element("div", { class: "drawing", tabindex: 0 }, picture);
}

function rowOfBoxes({ nodes, ring }) {
  const step = BOX_WIDTH + ARROW;
  const back = ring ? 58 : 0;
  const top = 18;
  const parts = nodes.flatMap((node, index) => {
    const x = 2 + index * step;
    const box = nodeBox(node, x, top, ring);
    if (index < nodes.length - 1) {
      return [box, ...arrow(node, nodes[index + 1], x + BOX_WIDTH, top + BOX_HEIGHT / 2)];
    }
    return ring ? [box, ...cycleArrow(node, x, top + BOX_HEIGHT, back)] : [box];
  });
  return { parts, width: nodes.length * step - ARROW + 4, height: BOX_HEIGHT + 34 + back };
}

/** The same for a narrow screen: one below the other. */
function columnOfBoxes({ nodes, ring }) {
  const gap = 74;
  const step = BOX_HEIGHT + gap;
  const middle = 30;
  const parts = nodes.flatMap((node, index) => {
    const y = 2 + index * step;
    const box = nodeBox(node, 2, y, ring);
    const isLast = index === nodes.length - 1;
    if (isLast && !ring) return [box];
    const from = y + BOX_HEIGHT;
    const line = isLast
      ? drawing("path", {
        d: `M${BOX_WIDTH + 4} ${from - 38} H${BOX_WIDTH + 34} V${2 + BOX_HEIGHT / 2} H${BOX_WIDTH + 6}`,
        class: "arrow", "marker-end": "url(#head)",
      })
      : drawing("line", { x1: middle, y1: from + 4, x2: middle, y2: from + gap - 4, class: "arrow", "marker-end": "url(#head)" });
    const words = wrapped(arrowWords(node, nodes[index + 1]), 32, 3);
    const labels = words.map((text, row) => {
      const line = label(text, middle + 14, from + (isLast ? 20 : gap / 2 + 5 - (words.length - 1) * 8) + row * 16);
      line.setAttribute("text-anchor", "start");
      return line;
    });
    return [box, line, ...labels];
  });
  return { parts, width: BOX_WIDTH + (ring ? 40 : 20), height: nodes.length * step - (ring ? 10 : gap) + 4 };
}

/** The label of the arrow from a node to the next. */
function arrowWords(node, next) {
  if (next?.skipped > 0) return `… ${next.skipped} more between …`;
  return `${node.wait ?? ""}${node.lasted ? `, ${node.lasted}` : ""}`;
}

const arrowHead = () => drawing("defs", {}, drawing("marker", {
  id: "head", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto",
}, drawing("path", { d: "M0 0 L8 4 L0 8 z", class: "arrow-head" })));

function nodeBox(node, x, y, isBad) {
  const group = drawing("g", { class: isBad ? "box bad" : "box" },
    drawing("rect", { x, y, width: BOX_WIDTH, height: BOX_HEIGHT, rx: 8 }));
  // Of several processes the thread has a line, and its process another.
  const [, thread, process] = /^([^]*\(\d+\)|the main thread) (of [^]*)$/.exec(node.name) ?? [];
  const places = wrapped(node.place ?? "", 33, process ? 1 : 2);
  if (process) places.unshift(shortened(process, 33));
  const lines = [
    [shortened(thread ?? node.name, 26), "box-name"], ...places.map((text) => [text, "box-place"])];
  const first = y + BOX_HEIGHT / 2 + 5 - (lines.length - 1) * 9.5;
  lines.forEach(([text, style], index) => {
    const line = drawing("text", { x: x + 12, y: first + index * 19, class: style });
    line.textContent = text;
    group.append(line);
  });
  const title = drawing("title");
  title.textContent = [node.name, node.place].filter(Boolean).map(printable).join("\n");
  group.append(title);
  return group;
}

function arrow(node, next, x, y) {
  const end = x + ARROW;
  const lines = wrapped(arrowWords(node, next), 30, 4);
  const above = Math.ceil(lines.length / 2);
  return [
    drawing("line", { x1: x + 4, y1: y, x2: end - 4, y2: y, class: "arrow", "marker-end": "url(#head)" }),
    ...lines.map((line, index) => label(line, x + ARROW / 2,
      index < above ? y - 8 - (above - 1 - index) * 16 : y + 18 + (index - above) * 16)),
  ];
}

function cycleArrow(node, x, y, back) {
  const low = y + back - 22;
  const from = x + BOX_WIDTH / 2;
  const to = 2 + BOX_WIDTH / 2;
  const words = shortened(arrowWords(node), 90);
  // A thread that waits for itself leads back to its own side.
  const [start, end] = from === to ? [from + 60, to - 60] : [from, to];
  return [
    drawing("path", {
      d: `M${start} ${y + 3} V${low} H${end} V${y + 5}`, class: "arrow", "marker-end": "url(#head)",
    }),
    label(words, (start + end) / 2, low + 17),
  ];
}

function label(text, x, y) {
  const line = drawing("text", { x, y, class: "label", "text-anchor": "middle" });
  line.textContent = text;
  return line;
}

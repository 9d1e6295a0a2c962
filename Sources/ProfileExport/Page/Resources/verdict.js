// The head of the page: the verdict, and who waits for whom.

/** The head of a page on one capture. */
function profileHeader(page) {
  const { profile, data } = page;
  const { capture, verdict } = profile;
  const sections = [
    element("p", { class: "over" }, "sprof ", data.version, " · ", name(capture.name),
      capture.start > 0 ? ` · ${localTime(capture.start)}` : "",
      capture.host ? [" · ", name(capture.host)] : null),
  ];
  const folded = [];
  if (verdict) {
    sections.push(element("h1", { id: "verdict", class: `verdict ${tone(verdict.kind)}` },
      name(verdict.words, 4000)));
    if (verdict.nodes.length > 0) sections.push(chainDrawing(verdict, page));
    if (verdict.chain.length > 0) folded.push(aboutBox("In words", verdict.chain));
  } else sections.push(element("h1", { class: "verdict" }, name(capture.name)));
  const more = [];
  if (capture.command.length > 0) more.push(element("p", {}, "Command: ", element("code", {}, name(capture.command.join(" "), 2000))));
  if (capture.kernel) more.push(element("p", {}, "Kernel: ", name(capture.kernel)));
  folded.push(aboutBox(capture.words[0] ?? "", capture.words.slice(1), more));
  // A single note is short enough to be read at once.
  const [note, ...others] = capture.notes;
  if (others.length > 0) folded.push(aboutBox(`${capture.notes.length} notes`, capture.notes));
  sections.push(element("div", { class: "abouts" }, folded));
  if (note !== undefined && others.length === 0) sections.push(element("p", { class: "note" }, "note: ", name(note, 4000)));
  return sections;
}

/** Lines that show when their title is clicked. */
const aboutBox = (title, lines, more = []) => element("details", { class: "about" }, element("summary", {}, name(title, 2000)),
  lines.map((line) => element("p", {}, name(line, 2000))), more);

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
const BOX_HEIGHT = 60;
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

/** The chain as boxes with arrows between them; a cycle leads back to the first. A box chooses its thread. */
function chainDrawing(verdict, page) {
  const isNarrow = globalThis.innerWidth < 700;
  const { parts, width, height } = isNarrow ? columnOfBoxes(verdict, page) : rowOfBoxes(verdict, page);
  const picture = drawing("svg", {
    viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": verdict.chain.join("; "),
  }, arrowHead(), ...parts);
  picture.style.width = `min(100%, ${width}px)`;
  // Smaller letters could not be read: then it scrolls.
  picture.style.minWidth = `${Math.round(width * 0.72)}px`;
  return element("div", { class: "drawing", tabindex: 0, role: "group", "aria-label": "Who waits for whom" }, picture);
}

function rowOfBoxes({ nodes, ring }, page) {
  const step = BOX_WIDTH + ARROW;
  const back = ring ? 46 : 0;
  const top = 6;
  const parts = nodes.flatMap((node, index) => {
    const x = 2 + index * step;
    const box = nodeBox(node, x, top, ring, page);
    if (index < nodes.length - 1) {
      return [box, arrowLink(node, page, arrow(node, nodes[index + 1], x + BOX_WIDTH, top + BOX_HEIGHT / 2))];
    }
    return ring ? [box, arrowLink(node, page, cycleArrow(node, x, top + BOX_HEIGHT, back))] : [box];
  });
  return { parts, width: nodes.length * step - ARROW + 4, height: BOX_HEIGHT + 14 + back };
}

/** The same for a narrow screen: one below the other. */
function columnOfBoxes({ nodes, ring }, page) {
  const gap = 74;
  const step = BOX_HEIGHT + gap;
  const middle = 30;
  const parts = nodes.flatMap((node, index) => {
    const y = 2 + index * step;
    const box = nodeBox(node, 2, y, ring, page);
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
    return [box, arrowLink(node, page, [line, ...labels])];
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

function nodeBox(node, x, y, isBad, page) {
  const group = drawing("g", { class: isBad ? "box bad" : "box" },
    drawing("rect", { x, y, width: BOX_WIDTH, height: BOX_HEIGHT, rx: 8 }));
  // Of several processes the thread has a line, and its process another.
  const [, thread, process] = /^([^]*\(\d+\)|the main thread) (of [^]*)$/.exec(node.name) ?? [];
  const places = wrapped(node.place ?? "", 33, process ? 1 : 2);
  if (process) places.unshift(shortened(process, 33));
  const lines = [
    [shortened(thread ?? node.name, 26), "box-name"], ...places.map((text) => [text, "box-place"])];
  const first = y + BOX_HEIGHT / 2 + 5 - (lines.length - 1) * 9;
  lines.forEach(([text, style], index) => {
    const line = drawing("text", { x: x + 12, y: first + index * 18, class: style });
    line.textContent = text;
    group.append(line);
  });
  const title = drawing("title");
  title.textContent = [node.name, node.place].filter(Boolean).map(printable).join("\n");
  group.append(title);
  if (page && page.profile.threads[node.thread]) makeLink(group, () => page.chooseThreads([node.thread]));
  return group;
}

/** An arrow with its words, which chooses the thread that waits; keys reach the same by its box. */
function arrowLink(node, page, [line, ...labels]) {
  const group = drawing("g", { class: "wait" }, line, ...labels);
  if (!page?.profile.threads[node.thread]) return group;
  // A line is too thin to be hit.
  const target = line.cloneNode();
  target.setAttribute("class", "target");
  target.removeAttribute("marker-end");
  group.prepend(target);
  group.classList.add("link");
  group.addEventListener("click", () => page.chooseThreads([node.thread]));
  return group;
}

/** Makes a part of a drawing do something at a click and, by its name, for keys. */
function makeLink(group, action) {
  group.classList.add("link");
  group.setAttribute("tabindex", "0");
  group.setAttribute("role", "button");
  group.addEventListener("click", action);
  group.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    action();
  });
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
  const low = y + back - 24;
  const from = x + BOX_WIDTH / 2;
  const to = 2 + BOX_WIDTH / 2;
  const words = shortened(arrowWords(node), 90);
  // A thread that waits for itself leads back to its own side.
  const [start, end] = from === to ? [from + 60, to - 60] : [from, to];
  return [
    drawing("path", {
      d: `M${start} ${y + 3} V${low} H${end} V${y + 5}`, class: "arrow", "marker-end": "url(#head)",
    }),
    label(words, (start + end) / 2, low + 16),
  ];
}

function label(text, x, y) {
  const line = drawing("text", { x, y, class: "label", "text-anchor": "middle" });
  line.textContent = text;
  return line;
}

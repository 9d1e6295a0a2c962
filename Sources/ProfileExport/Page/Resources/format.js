// Words and figures as the text report writes them.

/** The weights of a run, in the order in which the page counts them. */
const UNITS = ["wall", "cpu", "ticks", "samples", "delay"];

const UNIT_WORDS = {
  wall: "Wall time", cpu: "CPU time", ticks: "Ticks", samples: "Samples", delay: "Run delay",
};

const isTime = (unit) => unit === "wall" || unit === "cpu" || unit === "delay";

/** Nanoseconds in the unit that suits them: `850 ns`, `12.3 µs`, `4.0 ms`, `10.00 s`, `7 h 5 min`. */
function duration(nanoseconds) {
  const size = Math.abs(nanoseconds);
  if (size < 1000) return `${Math.round(nanoseconds)} ns`;
  if (size < 999950) return `${(nanoseconds / 1e3).toFixed(1)} µs`;
  if (size < 999950000) return `${(nanoseconds / 1e6).toFixed(1)} ms`;
  if (size < 600e9) return `${(nanoseconds / 1e9).toFixed(2)} s`;
  return (nanoseconds < 0 ? "-" : "") + longDuration(Math.round(size / 1e9));
}

/** Ten minutes and more, in the two largest units. */
function longDuration(seconds) {
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.floor((seconds + 30) / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  const hours = Math.floor((seconds + 1800) / 3600);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** A large count with thin spaces between the thousands. */
const grouped = (number) => String(Math.round(number)).replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");

/** An amount of a unit, with the unit's name where the number alone does not say. */
function amount(value, unit) {
  if (isTime(unit)) return duration(value);
  const noun = unit === "ticks" ? "tick" : "sample";
  return `${grouped(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** An amount for a column whose head names the unit. */
const cell = (value, unit) => (isTime(unit) ? (value / 1e9).toFixed(3) : grouped(value));

/** A part of a whole in percent; something that is not nothing never shows as `0.0`. */
function percent(part, whole) {
  if (!(whole > 0)) return "–";
  const share = (part / whole) * 100;
  return share > 0 && share < 0.05 ? "<0.1 %" : `${share.toFixed(1)} %`;
}

/** A change in seconds per second, with its sign. */
function signed(value) {
  const text = value.toFixed(3);
  if (/^-?0\.000$/.test(text)) return "0.000";
  return value > 0 ? `+${text}` : text.replace("-", "−");
}

/** A time of the capture as `--from` takes it. */
function moment(nanoseconds) {
  const milliseconds = nanoseconds / 1e6;
  return milliseconds >= 1000 && milliseconds % 1000 === 0
    ? `${milliseconds / 1000}s`
    : `${Number(milliseconds.toFixed(6))}ms`;
}

// Control characters, direction marks, invisible characters, line separators.
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\p{Zs}/gu;

const SHORT_ESCAPES = new Map([["\n", "\\n"], ["\r", "\\r"], ["\t", "\\t"]]);

/** The text with everything that does not show as itself written as `\u{1B}`, or `\n`, `\r` and `\t`. */
function printable(text) {
  return text.replace(HIDDEN, (character) =>
    SHORT_ESCAPES.get(character) ?? `\\u{${character.codePointAt(0).toString(16).toUpperCase()}}`);
}

/** Printable text of at most `limit` characters, with `…` in its middle. */
function shortened(text, limit) {
  if (text.length > limit * 12) text = text.slice(0, limit * 6) + text.slice(-limit * 6);
  const characters = Array.from(printable(text));
  if (characters.length <= limit) return characters.join("");
  const tail = Math.floor((limit - 1) / 2);
  return `${characters.slice(0, limit - 1 - tail).join("")}…${characters.slice(-tail).join("")}`;
}

/** A place of at most `limit` characters: the end of a long path says the most. */
function shortPlace(text, limit) {
  if (text.length <= limit && printable(text) === text) return text;
  const tail = Array.from(printable(text.slice(-limit * 2))).slice(-limit).join("");
  const slash = tail.indexOf("/");
  return `…${slash > 0 && slash < 24 ? tail.slice(slash) : tail}`;
}

/** The last part of a path. */
const lastPart = (path) => path.slice(path.lastIndexOf("/", path.length - 2) + 1);

/** A word as a shell takes it. */
const shellWord = (text) =>
  /^[\w.,:/@%+=-]+$/.test(text) ? text : `'${text.replace(/'/g, "'\\''")}'`;

/** The regular expression that finds `text` itself, as sprof's own expressions are written. */
const literalPattern = (text) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");

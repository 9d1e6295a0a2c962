// The controls: weight, search and filters.

const STATE_WORDS = {
  running: "Running", waiting: "Waiting for a CPU", blocked: "Blocked",
  uninterruptible: "Uninterruptible", stopped: "Stopped", unknown: "Unknown",
};

/** The kinds of frames, each with its colour and shape. */
function frameLegend(profile) {
  const has = (kind) => profile.functions.some((source) => source.kind === kind);
  const kinds = [
    ["native", "Native", has(NATIVE)], ["python", "Python", hasLanguage(profile, PYTHON)],
    ["java", "Java", has(JAVA)],
    ["inlined", "Inlined", profile.pathInlined.includes(1)], ["kernel", "Kernel", has(KERNEL)],
    ["guessed", "Likely", profile.kinds.some(({ end }) => end === "inferred")],
  ];
  return element("ul", { class: "legend frames" }, kinds.filter(([, , isSeen]) => isSeen)
    .map(([kind, words]) => element("li", {}, element("i", { class: `chip ${kind}` }), words)));
}

class Toolbar {
  constructor(page) {
    this.page = page;
    this.build();
  }

  build() {
    const { page } = this;
    this.units = element("div", { class: "segments", role: "group", "aria-label": "Weight" },
      UNITS.map((unit) => element("button", {
        type: "button", "data-unit": unit, onclick: () => page.setUnit(unit),
      }, UNIT_WORDS[unit])));
    this.buildSearch();
    this.buildFilters();
    this.buildSwitches();
    this.shown = element("output", { class: "shown" });
    this.chosen = element("span", { class: "faint", id: "chosen" });
    this.command = element("code", { class: "command" });
    this.problem = element("p", { class: "problem", role: "alert", hidden: true });
    this.reset = element("button", { type: "button", id: "reset", onclick: () => page.setFilter(noFilter()) }, "Show everything");
    this.result = element("div", { class: "line result" }, this.shown, this.chosen, this.reset, this.command);
    this.element = element("section", { class: "card toolbar", "aria-label": "Filters" },
      element("div", { class: "line" }, this.units, this.searchBox, this.switches, this.moreButton,
        element("button", { type: "button", class: "help-button", onclick: () => toggleHelp(), "aria-label": "Keyboard shortcuts" }, "?")),
      this.more, this.result, this.problem);
  }

  /** What is on or off for all views. */
  buildSwitches() {
    const { page } = this;
    this.idle = checkBox("hide-idle", (isOn) => page.setFilter({ isIdleHidden: isOn }));
    this.native = checkBox("native", (isOn) => page.setNative(isOn));
    const label = (box, words, title, isThere) => (isThere ? element("label", { class: "check", title }, box, words) : null);
    this.switches = element("span", { class: "checks" },
      label(this.idle, " Hide idle", "Leave out the time in which threads rest: in an event loop, a pool of workers, or a sleep of their own choice",
        page.profile.kinds.some(({ rest }) => rest)),
      label(this.native, " Native frames", "Show native frames in stacks that have Python or Java frames, too", hasInterpreted(page.profile)));
  }

  buildSearch() {
    const { page } = this;
    this.searchInput = element("input", {
      type: "search", id: "search", placeholder: "Find functions …", "aria-label": "Find functions", spellcheck: "false",
    });
    this.regex = element("button", { type: "button", class: "toggle", "aria-pressed": "false", id: "regex", title: "Regular expression" }, ".*");
    this.match = element("output", { class: "match", id: "match" });
    const search = () => page.setSearch(this.searchInput.value, this.regex.getAttribute("aria-pressed") === "true");
    this.searchInput.addEventListener("input", search);
    this.regex.addEventListener("click", () => {
      this.regex.setAttribute("aria-pressed", String(this.regex.getAttribute("aria-pressed") !== "true"));
      search();
    });
    this.searchBox = element("div", { class: "search" }, this.searchInput, this.regex, this.match);
  }

  buildFilters() {
    const { page } = this;
    const { profile } = page;
    const states = STATES.filter((state) => profile.kinds.some((kind) => kind.state === state));
    this.chips = element("div", { class: "chips", role: "group", "aria-label": "States" }, states.map((state) =>
      element("button", { type: "button", "data-state": state, "aria-pressed": "false", onclick: () => this.toggleState(state) },
        element("i", { class: `swatch ${state}` }), STATE_WORDS[state])));
    const names = [...new Set(profile.threads.map((thread) => thread.name))].slice(0, 500);
    const options = element("datalist", { id: "thread-names" }, names.map((text) => element("option", { value: text })));
    this.inputs = {};
    const input = (field, title, attributes = {}) => {
      const box = element("input", { id: `filter-${field}`, type: "text", spellcheck: "false", autocomplete: "off", ...attributes });
      box.addEventListener("change", () => page.setFilter({ [field]: box.value, ...(field === "thread" ? { only: null } : {}) }));
      this.inputs[field] = box;
      return element("label", { class: "field" }, element("span", {}, title), box);
    };
    const waits = [...new Set(profile.kinds.map(({ wait }) => wait).filter(Boolean))].sort();
    this.wait = element("select", { id: "filter-wait" }, element("option", { value: "" }, "any"),
      waits.map((wait) => element("option", { value: wait }, shortened(wait, 40))));
    this.wait.addEventListener("change", () => page.setFilter({ wait: this.wait.value }));
    this.filters = element("div", { class: "fields" }, options,
      input("thread", "Thread", { list: "thread-names", placeholder: "name, work*, tid" }),
      profile.processes.length > 1 ? this.processField() : null,
      element("label", { class: "field" }, element("span", {}, "Blocked in"), this.wait));
    const time = (field, title) => {
      const label = input(field, title, { placeholder: field === "from" ? "0s" : "end" });
      const box = this.inputs[field];
      box.replaceWith(this.inputs[field] = this.timeInput(field));
      return label;
    };
    this.more = element("div", { class: "line", id: "more-filters", hidden: true }, this.chips, this.filters,
      input("focus", "Stacks with", { placeholder: "regular expression" }),
      input("ignore", "Stacks without", { placeholder: "regular expression" }),
      input("module", "Through module", { placeholder: "libc.so*" }),
      time("from", "From"), time("to", "To"));
    this.moreButton = element("button", {
      type: "button", class: "plain", "aria-expanded": "false", "aria-controls": "more-filters",
      onclick: () => this.openMore(this.more.hidden),
    }, "Filters");
  }

  openMore(isOpen) {
    this.more.hidden = !isOpen;
    this.moreButton.setAttribute("aria-expanded", String(isOpen));
  }

  timeInput(field) {
    const box = element("input", {
      id: `filter-${field}`, type: "text", spellcheck: "false", autocomplete: "off", placeholder: field === "from" ? "0s" : "end",
    });
    box.addEventListener("change", () => {
      const time = readTime(box.value);
      if (time === undefined) this.complain(`'${box.value}' is not a time; use a form like 1.5s or 200ms`);
      else this.page.setFilter({ [field]: time });
    });
    return box;
  }

  processField() {
    const { page } = this;
    this.process = element("select", { id: "filter-process" }, element("option", { value: "" }, "all"),
      page.profile.processes.map(({ title }) => element("option", { value: title }, shortened(title, 60))));
    this.process.addEventListener("change", () => {
      const title = this.process.value;
      page.setFilter({ only: null, thread: title ? `${title.replace(/[\\*?[\]]/g, "\\$&")}/*` : "" });
    });
    return element("label", { class: "field" }, element("span", {}, "Process"), this.process);
  }

  toggleState(state) {
    const { states } = this.page.filter;
    const next = states.includes(state) ? states.filter((other) => other !== state) : [...states, state];
    this.page.setFilter({ states: STATES.filter((other) => next.includes(other)) });
  }

  /** Shows what is chosen, and what is left. */
  show({ filter, unit, selection, profile, withNative }) {
    for (const button of this.units.children) {
      button.setAttribute("aria-pressed", String(button.dataset.unit === unit));
    }
    for (const chip of this.chips.children) {
      chip.setAttribute("aria-pressed", String(filter.states.includes(chip.dataset.state)));
    }
    for (const field of ["thread", "focus", "ignore", "module"]) this.inputs[field].value = filter[field];
    for (const field of ["from", "to"]) {
      this.inputs[field].value = filter[field] === null ? "" : moment(filter[field]);
    }
    this.wait.value = filter.wait;
    this.idle.checked = filter.isIdleHidden;
    this.native.checked = withNative;
    const total = selection.total(unit);
    let whole = 0;
    for (const weight of profile[unit]) whole += weight;
    const live = selection.liveThreads().reduce((sum, isLive) => sum + isLive, 0);
    const isAll = isEverything(filter);
    this.shown.textContent = `${amount(total, unit)} of ${live} thread${live === 1 ? "" : "s"}`
      + (isAll ? "" : `, ${percent(total, whole)} of all threads`);
    this.reset.hidden = isAll;
    this.chosen.textContent = chosenWords(profile, filter);
    const options = reportOptions(filter, profile);
    this.command.textContent = isAll || options === undefined ? "" : `sprof report FILE ${options}`;
    const { thread, states, wait, focus, ignore, module } = filter;
    if (thread || states.length > 0 || wait || focus || ignore || module) this.openMore(true);
  }

  showSearch({ text, isRegex }) {
    if (this.searchInput.value !== text) this.searchInput.value = text;
    this.regex.setAttribute("aria-pressed", String(isRegex));
  }

  showMatch(result) {
    this.searchBox.classList.toggle("wrong", !!result?.error);
    if (!result) this.match.textContent = "";
    else if (result.error) this.match.textContent = "not a regular expression";
    else this.match.textContent = `${percent(result.matched, result.total)} · ${amount(result.matched, result.unit)}`;
  }

  complain(text) {
    this.problem.hidden = text === "";
    this.problem.textContent = text;
  }
}

/** Which threads are chosen, and what else the filters leave out that no field shows. */
function chosenWords(profile, { only, isIdleHidden, from, to }) {
  const words = [];
  if (only) {
    const titles = only.slice(0, 3).map((index) => shortened(profile.threadTitle(index), 40));
    const rest = only.length > 3 ? ` and ${only.length - 3} more` : "";
    const named = profile.verdict?.threads ?? [];
    const isNamed = only.length === new Set(named).size && only.every((index) => named.includes(index));
    words.push(`only ${titles.join(", ")}${rest}${isNamed ? ", which the verdict is about" : ""}`);
  }
  if (from !== null || to !== null) words.push(`${moment(from ?? 0)} to ${to === null ? "the end" : moment(to)}`);
  if (isIdleHidden) words.push("without time at rest");
  return words.join(" · ");
}

/** A time as the command line takes it, in nanoseconds; null for none, undefined for what is no time. */
function readTime(text) {
  const trimmed = text.trim();
  if (trimmed === "") return null;
  const match = /^(\d+(?:\.\d+)?)\s*(m|s|ms|us|µs|ns)?$/.exec(trimmed);
  if (!match) return undefined;
  const scale = { m: 60e9, s: 1e9, ms: 1e6, us: 1e3, µs: 1e3, ns: 1 }[match[2] ?? "s"];
  return Math.round(Number(match[1]) * scale);
}

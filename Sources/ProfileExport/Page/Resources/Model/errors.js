// How far figures may be off by chance, since only some moments were sampled: reckoned as the reports do
// (SamplingError in ProfileAnalysis).

/** The units that are estimated; samples and delays are counted. */
const ESTIMATED = ["wall", "cpu", "ticks"];

/** Kinds of captures whose samples have times. */
const hasTimes = (profile) => ["attach", "watch", "run"].includes(profile.capture?.kind);

/** A change between so many samples that agree and so many others that do, in squares of a weight. */
const changeVariance = (left, right) => (left >= 3 && right >= 3 ? 1 / 6 : 1 / 2);

/** Consecutive samples of one thread after the other, by the items that they are in. */
class Stays {
  /**
   * `close` is called for each, with its item, the numbers of its first and last run and of the run behind
   * it (-1 for none), and what a change there counts at its beginning and its end.
   */
  constructor(count, close) {
    [this.start, this.end, this.gap, this.first, this.last] = Array.from({ length: 5 }, () => new Float64Array(count));
    this.end.fill(-1);
    this.close = close;
    this.begin();
  }

  /** Begins with another thread. */
  begin() {
    this.items = [];
    this.position = 0;
    this.run = 0;
  }

  /** Adds the samples of a run. */
  add(items, samples) {
    const { position, run } = this;
    for (const item of items) {
      const before = this.end[item];
      if (before !== position) {
        if (before < 0) this.items.push(item);
        else this.leave(item, position);
        this.start[item] = position;
        this.gap[item] = position - Math.max(before, 0);
        this.first[item] = run;
      }
      this.end[item] = position + samples;
      this.last[item] = run;
    }
    this.position += samples;
    this.run++;
  }

  /** Ends a stay: the thread was elsewhere until `next`. */
  leave(item, next) {
    const length = this.end[item] - this.start[item];
    const last = this.last[item];
    this.close(
      item, this.first[item], last, last + 1 < this.run ? last + 1 : -1,
      changeVariance(this.gap[item], length), changeVariance(length, next - this.end[item]));
  }

  /** Ends the thread; gives the items that it was in. */
  finish() {
    const { items } = this;
    for (const item of items) {
      this.leave(item, this.position);
      this.end[item] = -1;
    }
    this.begin();
    return items;
  }
}

/** Variances of what is divided among the samples, of which only the shares are uncertain. */
class ShareErrors {
  /** `assumed`: so many samples more in each item, and so many beside it, where there may be few. */
  constructor(count, assumed) {
    this.assumed = assumed;
    this.weights = [];
    this.steps = [];
    this.amounts = [0];
    this.squares = 0;
    const sums = Array.from({ length: 8 }, () => new Float64Array(count));
    [this.amount, this.inside, this.mixed, this.differences, this.atChanges, this.within, this.repeats, this.ends] = sums;
    this.spread = 0;
    this.sums = sums;
    this.stays = new Stays(count, (...stay) => this.close(...stay));
  }

  add(items, samples, weight) {
    const { weights, steps, amounts } = this;
    const last = weights.length - 1;
    // As one sample would differ from the next, where runs have the means of several.
    if (last >= 0) this.spread += (weight - weights[last]) ** 2 / (1 / this.lastSamples + 1 / samples);
    this.lastSamples = samples;
    // Up to each run: half the squares of the differences of successive weights.
    steps.push(last < 0 ? 0 : steps[last] + (weight - weights[last]) ** 2 / 2);
    amounts.push(amounts[last + 1] + weight * samples);
    weights.push(weight);
    this.squares += weight ** 2 * samples;
    this.stays.add(items, samples);
  }

  close(item, first, last, behind, enters, leaves) {
    const { weights, steps, amounts } = this;
    this.amount[item] += amounts[last + 1] - amounts[first];
    this.within[item] += steps[last] - steps[first];
    this.repeats[item] += this.stays.end[item] - this.stays.start[item] - (last - first + 1);
    this.change(item, weights[first], first > 0 ? weights[first - 1] : undefined, enters);
    this.change(item, weights[last], behind > 0 ? weights[behind] : undefined, leaves);
  }

  change(item, inside, outside, part) {
    if (outside === undefined) {
      this.ends[item] += inside ** 2 / 6;
      return;
    }
    const difference = inside - outside;
    this.inside[item] += part * inside ** 2;
    this.mixed[item] += part * inside * difference;
    this.differences[item] += part * difference ** 2;
    this.atChanges[item] += difference ** 2 / 2;
  }

  /** Ends a thread; `body` is called with its items and their variances. */
  endThread(body) {
    const { weights, steps } = this;
    const [count, last, total] = [this.stays.position, weights.length - 1, this.amounts[weights.length]];
    const ends = last < 0 ? 0 : (weights[0] ** 2 + weights[last] ** 2) / 6;
    // What the samples of a run differ by, is not known: as much as those of different runs.
    const repeatStep = last > 0 ? this.spread / last : 0;
    const allSteps = (steps[last] ?? 0) + repeatStep * (count - weights.length);
    for (const item of this.stays.finish()) {
      const stepsInside = this.within[item] + repeatStep * this.repeats[item];
      const share = total > 0 ? this.amount[item] / total : 0;
      const variance = this.inside[item] - 2 * share * this.mixed[item] + share ** 2 * this.differences[item]
        + (1 - share) ** 2 * (stepsInside + this.ends[item])
        + share ** 2 * (allSteps - stepsInside - this.atChanges[item] + ends - this.ends[item]);
      if (total > 0) body(item, Math.max(variance, 0) + (this.assumed * this.squares) / Math.max(count, 1));
      for (const sum of this.sums) sum[item] = 0;
    }
    [this.weights, this.steps, this.amounts, this.squares, this.spread] = [[], [], [0], 0, 0];
  }
}

/**
 * The distinct items of a path, innermost first, and the innermost one itself, where it has one; `marks` has
 * for each item the last turn that met it.
 */
function itemsOfPath(profile, path, items, marks, turn) {
  const all = [];
  for (let at = path; at !== 0; at = profile.pathParent[at]) {
    const item = items[profile.pathLine[at]];
    if (item < 0 || marks[item] === turn) continue;
    marks[item] = turn;
    all.push(item);
  }
  const innermost = path === 0 ? -1 : items[profile.pathLine[path]];
  return { all, own: innermost >= 0 ? [innermost] : [] };
}

/**
 * The 95 % intervals of items, as half their widths: `{own, all}`, each with a column for each unit of
 * ESTIMATED; undefined where the samples have no times.
 */
function itemErrors(selection, items, count, isCounted = () => true) {
  const { profile } = selection;
  if (!hasTimes(profile)) return undefined;
  const kinds = ["own", "all"].map((key) => {
    const variances = Object.fromEntries(ESTIMATED.map((unit) => [unit, new Float64Array(count)]));
    return { key, variances, times: new ShareErrors(count, 0), shares: new ShareErrors(count, 2) };
  });
  const [wall, cpu, ticks, samples] = ["wall", "cpu", "ticks", "samples"].map((unit) => selection.column(unit));
  const sums = { wall: 0, ticks: 0 };
  const endThread = () => {
    // Ticks are as long as each other.
    const inTicks = sums.wall > 0 ? (sums.ticks / sums.wall) ** 2 : 0;
    for (const { variances, times, shares } of kinds) {
      times.endThread((item, variance) => {
        variances.wall[item] += variance;
        variances.ticks[item] += variance * inTicks;
      });
      shares.endThread((item, variance) => { variances.cpu[item] += variance; });
    }
    [sums.wall, sums.ticks] = [0, 0];
  };
  const marks = new Int32Array(count);
  let [thread, path, found, turn] = [-1, -1, undefined, 0];
  for (const run of selection.runs) {
    if (!isCounted(run)) continue;
    if (profile.runThread[run] !== thread) endThread();
    thread = profile.runThread[run];
    if (selection.runPath[run] !== path) {
      path = selection.runPath[run];
      found = itemsOfPath(profile, path, items, marks, ++turn);
    }
    const number = Math.max(samples[run], 1);
    const each = (column) => Math.max(column[run], 0) / number;
    const isOnCPU = profile.kinds[profile.runKind[run]].state === "running";
    sums.wall += Math.max(wall[run], 0);
    sums.ticks += Math.max(ticks[run], 0);
    for (const { key, times, shares } of kinds) {
      times.add(found[key], number, each(wall));
      // CPU time is divided among the samples on a CPU alone.
      if (isOnCPU) shares.add(found[key], number, each(cpu));
    }
  }
  endThread();
  return Object.fromEntries(kinds.map(({ key, variances }) => {
    for (const column of Object.values(variances)) column.forEach((value, at) => { column[at] = 1.96 * Math.sqrt(value); });
    return [key, variances];
  }));
}

/** The same for one function. */
function functionErrors(selection, id) {
  const { profile } = selection;
  const items = Int32Array.from({ length: profile.lines.length / 2 }, (_, line) => (profile.functionOfLine(line) === id ? 0 : -1));
  return itemErrors(selection, items, 1);
}

/** The half width for an item and a unit; undefined where it is not known. */
const errorOf = (errors, item, unit) => errors?.[unit]?.[item];

/** A share in percent without the sign, and by how much it may be off: `51.3 ±2.1`. */
function percentWithError(part, whole, error) {
  const text = percent(part, whole).replace(" %", "");
  if (!(error > 0) || !(whole > 0)) return text;
  return `${text} ±${Math.max((error / whole) * 100, 0.1).toFixed(1)}`;
}

// Stacks of interpreted languages without the native frames around theirs.

const isInterpreted = (kind) => kind === PYTHON || kind === JAVA;

/** Whether a profile has functions of a language; those of Python have files, what only stands for a stretch has none. */
const hasLanguage = (profile, language) =>
  profile.functions.some(({ kind, file }) => kind === language && (file >= 0 || language !== PYTHON));

/** Whether a profile has stacks that lose their native frames. */
const hasInterpreted = (profile) => hasLanguage(profile, PYTHON) || hasLanguage(profile, JAVA);

/**
 * By run: its path without native frames, where it has interpreted ones.
 *
 * Paths that the profile does not have yet are added to it behind the others: a caller comes first.
 */
function pathsWithoutNative(profile) {
  if (profile.knownWithoutNative) return profile.knownWithoutNative;
  const { lines, functions, pathCount } = profile;
  const rest = new Int32Array(pathCount);
  const isOfInterpreter = new Uint8Array(pathCount);
  const added = new PathList(profile);
  for (let path = 1; path < pathCount; path++) {
    const [parent, line] = [profile.pathParent[path], profile.pathLine[path]];
    const { kind } = functions[lines[line * 2]];
    const isNative = kind === NATIVE || kind === KERNEL;
    isOfInterpreter[path] = isOfInterpreter[parent] || isInterpreted(kind) ? 1 : 0;
    rest[path] = isNative ? rest[parent] : added.path(rest[parent], path);
  }
  added.finish();
  profile.knownWithoutNative = profile.runPath.map((path) => (isOfInterpreter[path] ? rest[path] : path));
  return profile.knownWithoutNative;
}

/** Paths that are added to those of a profile. */
class PathList {
  constructor(profile) {
    this.profile = profile;
    this.known = new Map();
    this.parents = [];
    this.lines = [];
    this.inlined = [];
  }

  /** The path to the function at the end of `like`, called by another path: itself, or one like it. */
  path(caller, like) {
    const { profile } = this;
    const line = profile.pathLine[like];
    const key = caller * (profile.lines.length / 2) + line;
    let path = this.known.get(key);
    if (path !== undefined) return path;
    if (profile.pathParent[like] === caller) {
      this.known.set(key, like);
      return like;
    }
    path = profile.pathCount + this.parents.length;
    this.parents.push(caller);
    this.lines.push(line);
    this.inlined.push(profile.pathInlined[like]);
    this.known.set(key, path);
    return path;
  }

  finish() {
    const { profile } = this;
    const longer = (Column, column, more) => {
      const all = new Column(column.length + more.length);
      all.set(column);
      all.set(more, column.length);
      return all;
    };
    profile.pathParent = longer(Int32Array, profile.pathParent, this.parents);
    profile.pathLine = longer(Int32Array, profile.pathLine, this.lines);
    profile.pathInlined = longer(Uint8Array, profile.pathInlined, this.inlined);
    profile.pathCount += this.parents.length;
    profile.functionPaths = undefined;
  }
}

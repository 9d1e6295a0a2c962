// Who held Python's global interpreter lock, and who waited for it.

/** Whether that is known of any thread. */
const hasLockUse = (profile) => profile.threads.some(({ gil }) => gil);

/** The table of the threads that held the lock or waited for it, over all of the capture; a row chooses its thread. */
function showLockUse(page, panel) {
  const { profile } = page;
  const isFound = searchFilter(page);
  const rows = profile.threads.filter(({ gil, index }) => gil && isFound(profile.threadTitle(index)));
  const share = (title, key, help) => ({
    title, isNumber: true, help, value: ({ gil }) => gil[key],
    node: ({ gil }) => bar(percent(gil[key], 100), gil[key], 100),
  });
  panel.replaceChildren(
    element("p", { class: "hint faint" }, "Python's global interpreter lock, in the ticks of all of the capture: the page's filters leave it alone."),
    sortableTable({
      label: "Python's global interpreter lock", rows, sort: 0, order: page.order("gil"), onRow: ({ index }) => page.chooseThreads([index]),
      columns: [
        share("Held", "held", "Ticks in which the thread held the lock"),
        share("Waiting for it", "awaited", "Ticks in which it waited for the lock"),
        { title: "Thread", value: ({ index }) => profile.threadTitle(index), node: ({ index }) => name(profile.threadTitle(index), 120) },
        { title: "Tid", value: ({ tid }) => tid, text: ({ tid, main }) => `${tid}${main ? " (main)" : ""}` },
      ],
    }));
}

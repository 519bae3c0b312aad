// What a benchmark sees of a page from inside: when something was shown, frames, long tasks. Any page's scripts come after it.
(() => {
  const watch = { began: 0, changed: 0, shown: 0, first: 0, answers: 0, frames: [], tasks: [] };
  const channel = new MessageChannel();
  /** @type {(() => void)[]} */
  const waiting = [];
  channel.port1.onmessage = () => waiting.splice(0).forEach((call) => call());
  // A task that a frame's own callback posts comes once that frame is painted.
  const painted = (call) => (waiting.push(call), channel.port2.postMessage(0));

  const patiently = (work, holds) =>
    new Promise((done, failed) => {
      setTimeout(() => failed(new Error(`not seen for 90 s: ${holds}`)), 90_000);
      work(done);
    });

  let noted = false;
  const note = () => {
    watch.changed = performance.now();
    if (noted) return;
    noted = true;
    requestAnimationFrame(() => painted(() => ((noted = false), (watch.shown = performance.now()), watch.first ||= watch.shown > watch.began ? watch.shown : 0)));
  };
  const { stroke } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.stroke = function (...words) {
    note();
    return stroke.apply(this, words);
  };
  new MutationObserver(note).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["d", "transform"] });
  new PerformanceObserver((list) => watch.tasks.push(...list.getEntries().map((each) => [each.startTime, each.duration]))).observe({ type: "longtask" });
  new PerformanceObserver((list) => {
    for (const each of list.getEntries()) if (/curves|get-history/.test(each.name) && each.startTime >= watch.began) watch.answers += 1;
  }).observe({ type: "resource" });

  /** The next event of a kind is the beginning. */
  watch.from = (kind) => {
    watch.began = Infinity;
    watch.answers = watch.first = 0;
    addEventListener(kind, (event) => (watch.began = event.timeStamp), { capture: true, once: true });
  };
  /** Milliseconds from the beginning until a condition holds in a frame that is painted. */
  watch.until = (holds) =>
    patiently((done) => {
      const look = () => (holds() ? painted(() => done(performance.now() - watch.began)) : requestAnimationFrame(look));
      requestAnimationFrame(look);
    }, holds);
  /** Milliseconds from the beginning until the last change, once a condition holds, so many answers came, and nothing has changed for a while. */
  watch.settled = (holds, answers, quiet) =>
    patiently((done) => {
      const look = () => {
        const now = performance.now();
        const calm = watch.shown > watch.changed && watch.shown > watch.began && now - watch.shown > quiet;
        if (calm && watch.answers >= answers && holds()) done(watch.shown - watch.began);
        else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    }, holds);
  watch.count = () => {
    watch.frames = [];
    watch.tasks = [];
    watch.counting = true;
    const frame = (time) => (watch.frames.push(time), watch.counting && requestAnimationFrame(frame));
    requestAnimationFrame(frame);
  };
  watch.counted = () => {
    watch.counting = false;
    return { frames: watch.frames, tasks: watch.tasks.filter(([start]) => start >= watch.frames[0]).map(([, duration]) => duration) };
  };
  /** Whether a row of a table has a link of this name. */
  watch.row = (name) => [...document.querySelectorAll("[role=row] a")].some((link) => link.textContent.trim() === name);
  window.watch = watch;
})();

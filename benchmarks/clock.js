// Runs before the page's own scripts, and tells when something is on the screen.
window.bench = {
  // The moment (`performance.now()`) after the first frame in which `isThere` was true.
  painted(isThere) {
    return new Promise((resolve) => {
      const look = () => {
        if (!isThere()) return requestAnimationFrame(look);
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => resolve(performance.now());
        port2.postMessage(null); // runs once this frame is drawn
      };
      requestAnimationFrame(look);
    });
  },

  isSeen(element) {
    if (!element?.checkVisibility({ visibilityProperty: true })) return false;
    const { top, bottom, height } = element.getBoundingClientRect();
    return height > 0 && bottom > 0 && top < innerHeight;
  },

  rows() {
    const found = [...document.querySelectorAll("[data-customer-row]")];
    return found
      .filter((row) => {
        const { top, bottom } = row.getBoundingClientRect();
        return top > 200 && bottom < innerHeight;
      })
      .map((row) => Number(row.dataset.customerRow));
  },

  messages: () => [...document.querySelectorAll("main section article")],

  // Pixels of the chat over what is in view; the list is laid out from its end.
  above() {
    const list = document.querySelector('section[aria-label="Conversation"]');
    return list.scrollHeight - list.clientHeight + list.scrollTop;
  },

  // Milliseconds from the next click to the first message of another chat on the screen.
  async switched() {
    const before = bench.messages()[0]?.closest("section");
    const pressed = new Promise((resolve) =>
      addEventListener("click", (event) => resolve(event.timeStamp), {
        capture: true,
        once: true,
      }),
    );
    const shown = await bench.painted(() =>
      bench.messages().some((each) => each.closest("section") !== before && bench.isSeen(each)),
    );
    return shown - (await pressed);
  },

  // Milliseconds since the epoch at which a message with this text is on the screen.
  async says(text) {
    const isThere = (each) => each.textContent.includes(text) && bench.isSeen(each);
    return performance.timeOrigin + (await bench.painted(() => bench.messages().some(isThere)));
  },

  // Begins to count; `stop()` gives the milliseconds between frames, and from key to frame.
  watch() {
    const seen = { gaps: [], keys: [] };
    let last = performance.now();
    let isOver = false;
    const frame = (now) => {
      seen.gaps.push(now - last);
      last = now;
      if (!isOver) requestAnimationFrame(frame);
    };
    requestAnimationFrame((now) => {
      last = now;
      requestAnimationFrame(frame);
    });
    const onKey = (event) =>
      void bench.painted(() => true).then((at) => seen.keys.push(at - event.timeStamp));
    addEventListener("keydown", onKey, true);
    bench.stop = () => {
      isOver = true;
      removeEventListener("keydown", onKey, true);
      return seen;
    };
  },
};
bench.firstRow = bench.painted(() => bench.isSeen(document.querySelector("[data-customer-row]")));

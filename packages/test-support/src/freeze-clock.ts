/**
 * Lets the clock stand still for the code in this process: `Date` stays, and timers that are set from now on do not end.
 * For limits of so many in a time, so that a slow machine needs no more time than that. Everything else goes on.
 *
 * @returns lets it go on; to be called at least once, and harmless to call again
 */
export function freezeClock(): () => void {
  jest.useFakeTimers({
    now: Date.now(),
    doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'clearImmediate', 'performance', 'hrtime'],
  });
  return () => void jest.useRealTimers();
}

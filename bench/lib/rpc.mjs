/** @typedef {Record<string, (params: any) => unknown>} Handlers */

/**
 * Lets the parent process call these functions, one answer for each call. Ends with the parent: a server or load
 * generator that is left alone must not stay.
 *
 * @param {Handlers} handlers
 */
export function answerParent(handlers) {
  process.on('message', async (/** @type {any} */ { id, method, params }) => {
    try {
      const result = await handlers[method](params);
      process.send?.({ id, result });
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  });
  process.on('disconnect', () => process.exit(0));
}

/** @typedef {Record<string, (params: any) => unknown>} Handlers */

/**
 * Lets the parent process call these functions, with one answer for each call. The process exits when its parent has ended,
 * so that no server or load generator is left over.
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

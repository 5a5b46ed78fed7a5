/**
 * Runs tasks with the same key one after the other, and tasks with different keys concurrently. The tasks of one key
 * are a lane. Tasks must not reject.
 */
export class KeyedQueue {
  /** Undefined while there are no tasks: each socket has a queue, and an empty map takes 184 bytes. */
  #lastTasks: Map<string, Promise<void>> | undefined;
  #unfinished = 0;

  /** The number of tasks that have not ended, waiting ones included. */
  get unfinished(): number {
    return this.#unfinished;
  }

  run(key: string, task: () => Promise<void>): void {
    this.#unfinished += 1;
    this.#lastTasks ??= new Map();
    const lastTasks = this.#lastTasks;
    const last = (lastTasks.get(key) ?? Promise.resolve()).then(task).finally(() => {
      this.#unfinished -= 1;
      if (lastTasks.get(key) === last) lastTasks.delete(key);
      if (this.#unfinished === 0) this.#lastTasks = undefined;
    });
    lastTasks.set(key, last);
  }

  /** Resolves when all tasks that were added before this call have ended. */
  async waitUntilIdle(): Promise<void> {
    await Promise.all(this.#lastTasks?.values() ?? []);
  }
}

/** Opens a resource at its first use. After a failure the next caller tries again. */
export class LazyResource<T> {
  #opening: Promise<T> | undefined;

  constructor(private readonly open: () => Promise<T>) {}

  get(): Promise<T> {
    this.#opening ??= this.open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  /** Closes the resource if it was opened or is being opened. The next call of `get` opens it again. */
  async close(close: (opened: T) => Promise<void>): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    const opened = await opening?.catch(() => undefined);
    if (opened !== undefined) await close(opened);
  }
}

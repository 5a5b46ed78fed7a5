/** Something that is opened when it is first needed. A failure is not remembered: the next caller tries again. */
export class OpenedOnce<T> {
  private opening: Promise<T> | undefined;

  constructor(private readonly open: () => Promise<T>) {}

  get(): Promise<T> {
    this.opening ??= this.open().catch((error: unknown) => {
      this.opening = undefined;
      throw error;
    });
    return this.opening;
  }

  /** Closes it if it was opened, or once it is. It can be opened anew afterwards. */
  async close(close: (opened: T) => Promise<void>): Promise<void> {
    const { opening } = this;
    this.opening = undefined;
    const opened = await opening?.catch(() => undefined);
    if (opened !== undefined) await close(opened);
  }
}

/** What a listener is pushed, as far as the judge looks at it. */
export interface PushedMessage {
  readonly messageId: string;
  readonly sender: string;
  readonly body: string;
}

export interface Push extends PushedMessage {
  /** `performance.now()`. */
  readonly at: number;
}

/** One connection of a device, from when it hears its room to when it is lost. Times are `performance.now()`. */
export interface DeviceConnection {
  readonly from: number;
  until: number | undefined;
  readonly pushes: Push[];
}

/** The record of one listener: what it was pushed, on which connection. */
export class Device {
  readonly connections: DeviceConnection[] = [];

  /**
   * @param label for people
   * @param key whose device it is
   * @param isCut whether the harness itself cuts its connection from time to time
   */
  constructor(
    readonly label: string,
    readonly key: string,
    readonly isCut: boolean,
  ) {}

  get isPresent(): boolean {
    const last = this.connections.at(-1);
    return last !== undefined && last.until === undefined;
  }

  /** A connection hears the room from now on. */
  arrived(): DeviceConnection {
    this.lost();
    const connection: DeviceConnection = { from: performance.now(), until: undefined, pushes: [] };
    this.connections.push(connection);
    return connection;
  }

  lost(): void {
    const last = this.connections.at(-1);
    if (last !== undefined) last.until ??= performance.now();
  }

  /** @param connection on which it came; it may have been replaced meanwhile */
  pushed(connection: DeviceConnection, { messageId, sender, body }: PushedMessage): void {
    connection.pushes.push({ messageId, sender, body, at: performance.now() });
  }

  hasHeard(messageId: string): boolean {
    return this.connections.some(({ pushes }) => pushes.some((push) => push.messageId === messageId));
  }
}

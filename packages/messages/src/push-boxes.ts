/** The box that the reference server pushes from. */
export const NOTIFICATIONS_BOX = 'notifications';

/** A box whose messages are announced to their recipient's devices. */
export interface PushBox {
  readonly messageBox: string;
  /** What the notification shows first. */
  readonly title: string;
  /** What it shows below. Undefined: the message's id, as the reference server does. Never the body. */
  readonly text: string | undefined;
}

/** The title of the reference server. */
export const DEFAULT_PUSH_TITLE = 'New Message';

/** The boxes that are pushed when nothing else is configured. */
export const DEFAULT_PUSH_BOXES: readonly PushBox[] = [
  { messageBox: NOTIFICATIONS_BOX, title: DEFAULT_PUSH_TITLE, text: undefined },
];

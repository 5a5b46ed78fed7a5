export { hearPushHints, sendPushHints } from './push-hints.js';
export { PUSHED_BOX, type PushNotes, pushNotes } from './push-notes.js';
export { PUSH_MAX_AGE_MS, type TendParts, tendOutbox } from './tend-outbox.js';

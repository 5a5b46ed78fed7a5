export { hearPushHints, sendPushHints } from './push-hints.js';
export { PUSHED_BOX, type PushNotes, pushNotes } from './push-notes.js';

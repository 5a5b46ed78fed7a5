export type { MessageBoxLogLevel, MessageBoxOptions } from './options.js';
export { type MessageBoxServer, startMessageBox } from './start-message-box.js';

export { acknowledge } from './acknowledge.js';
export { type DevicesAnswer, listDevices, type RegisterDeviceAnswer, registerDevice } from './devices.js';
export { type ListAnswer, type ListParts, list } from './list.js';
export { bodyText } from './message-body.js';
export { isName, roomName, splitRoomName } from './names.js';
export { field, type NormaliseKey } from './parse-send.js';
export { RuleError, type RuleErrorCode, ruleErrorCodes } from './rule-error.js';
export { type SendAnswer, type SendParts, send } from './send.js';

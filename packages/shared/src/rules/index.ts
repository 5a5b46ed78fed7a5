export { acknowledge } from './acknowledge.js';
export { list, type ListAnswer } from './list.js';
export { isName, roomName, splitRoomName } from './names.js';
export { field } from './parse-send.js';
export { RuleError, ruleErrorCodes, type RuleErrorCode } from './rule-error.js';
export { send, type SendAnswer, type SendParts } from './send.js';

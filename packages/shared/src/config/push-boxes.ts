import { DEFAULT_PUSH_TITLE, isName, type PushBox } from '@messagebox/messages';
import { z } from 'zod';

const MAX_BOXES = 100;
/** With names and ids of the greatest length, the notification still has fewer than the 4,096 bytes that FCM accepts. */
const MAX_TITLE_CHARACTERS = 50;
const MAX_TEXT_CHARACTERS = 200;
const CONTROL_CHARACTERS = /[\p{Cc}\p{Zl}\p{Zp}]/u;

/** `box` or `box=Title|Text`, comma-separated. The first `=` and the first `|` after it separate. */
export const pushBoxesSchema = z.string().transform((text, context): readonly PushBox[] => {
  try {
    return parsePushBoxes(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
    return z.NEVER;
  }
});

/** @throws {TypeError} says what must be changed */
function parsePushBoxes(text: string): readonly PushBox[] {
  const boxes = text.split(',').map(parsePushBox);
  const names = new Set(boxes.map(({ messageBox }) => messageBox));
  if (names.size < boxes.length) throw new TypeError('must name each box once');
  if (boxes.length > MAX_BOXES) throw new TypeError(`must name at most ${MAX_BOXES} boxes`);
  return boxes;
}

function parsePushBox(entry: string): PushBox {
  const [name = '', shown] = entry.split(/=(.*)/s);
  const messageBox = name.trim();
  if (!isName(messageBox) || CONTROL_CHARACTERS.test(messageBox)) {
    throw new TypeError('must be comma-separated box names of 1 to 255 characters, without control characters');
  }
  if (shown === undefined) return { messageBox, title: DEFAULT_PUSH_TITLE, text: undefined };
  const [title, body] = shown.split(/\|(.*)/s).map((part) => part.trim());
  if (!isShort(title, MAX_TITLE_CHARACTERS) || !isShort(body, MAX_TEXT_CHARACTERS)) {
    throw new TypeError(
      `must give box=Title|Text with 1 to ${MAX_TITLE_CHARACTERS} and 1 to ${MAX_TEXT_CHARACTERS} characters, none of them a control character or a comma`,
    );
  }
  return { messageBox, title, text: body };
}

function isShort(text: string | undefined, maxCharacters: number): text is string {
  return text !== undefined && text !== '' && [...text].length <= maxCharacters && !CONTROL_CHARACTERS.test(text);
}

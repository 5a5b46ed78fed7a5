import { ClientWindow, FRAMES_PER_FENCE, MAX_FRAMES_AT_CLIENT } from '../src/socket/client-window.js';

/** Sends as many frames as there is room for, asking as soon as it is time. */
function fill(window: ClientWindow): number {
  let frames = 0;
  for (; window.hasRoom; frames++) {
    window.sendFrame();
    if (window.isFenceDue) window.sendFence();
  }
  return frames;
}

test('a fence is due after fifteen frames, and not before it is answered again', () => {
  const window = new ClientWindow();
  for (let i = 0; i < FRAMES_PER_FENCE; i++) {
    expect(window.isFenceDue).toBe(false);
    window.sendFrame();
  }
  expect(window.isFenceDue).toBe(true);
  window.sendFence();
  for (let i = 0; i < FRAMES_PER_FENCE; i++) window.sendFrame();
  expect(window.isFenceDue).toBe(false);
  window.answerFence();
  expect(window.isFenceDue).toBe(true);
});

test('without an answer a client never has more than 32 frames', () => {
  const window = new ClientWindow();
  fill(window);
  expect(window.hasRoom).toBe(false);
  expect(window.inWork).toBeLessThanOrEqual(MAX_FRAMES_AT_CLIENT);
});

test('an answer stands for the frames before the answered fence that preceded it, and for no others', () => {
  const window = new ClientWindow();
  for (let i = 0; i < 10; i++) window.sendFrame();
  window.sendFence();
  for (let i = 0; i < 5; i++) window.sendFrame();
  window.answerFence();
  expect(window.inWork).toBe(15); // the fence alone is done
  window.sendFence();
  window.answerFence();
  expect(window.inWork).toBe(5); // those before the first fence are done, too
  window.sendFence();
  window.answerFence();
  expect(window.inWork).toBe(0);
});

test('a fence always finds a place, so that the window never stays closed', () => {
  const window = new ClientWindow();
  let sent = 0;
  for (let round = 0; round < 50; round++) {
    sent += fill(window);
    if (!window.isFenceOpen) window.sendFence();
    expect(window.inWork).toBeLessThanOrEqual(MAX_FRAMES_AT_CLIENT);
    window.answerFence();
  }
  expect(sent).toBeGreaterThan(50 * 10);
});

test('an answer to no question changes nothing', () => {
  const window = new ClientWindow();
  window.sendFrame();
  window.answerFence();
  expect(window.inWork).toBe(1);
});

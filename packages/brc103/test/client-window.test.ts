import { ClientWindow, FRAMES_PER_FENCE, MAX_FRAMES_IN_FLIGHT } from '../src/socket/client-window.js';

/** Sends as many frames as there is room for, and fences when they are due. */
function fill(window: ClientWindow): number {
  let frames = 0;
  for (; window.hasRoom; frames++) {
    window.sendFrame();
    if (window.isFenceDue) window.sendFence();
  }
  return frames;
}

test('a fence is due after fifteen frames, and the next one only after its answer', () => {
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

test('a client that answers no fence never has more than 32 frames', () => {
  const window = new ClientWindow();
  fill(window);
  expect(window.hasRoom).toBe(false);
  expect(window.framesInFlight).toBeLessThanOrEqual(MAX_FRAMES_IN_FLIGHT);
});

test('an answer marks the frames before the previous answered fence as done, and no others', () => {
  const window = new ClientWindow();
  for (let i = 0; i < 10; i++) window.sendFrame();
  window.sendFence();
  for (let i = 0; i < 5; i++) window.sendFrame();
  window.answerFence();
  expect(window.framesInFlight).toBe(15); // only the fence is done
  window.sendFence();
  window.answerFence();
  expect(window.framesInFlight).toBe(5); // the frames before the first fence are done, too
  window.sendFence();
  window.answerFence();
  expect(window.framesInFlight).toBe(0);
});

test('there is always room for a fence, so that the window never stays closed', () => {
  const window = new ClientWindow();
  let sent = 0;
  for (let round = 0; round < 50; round++) {
    sent += fill(window);
    if (!window.isFenceOpen) window.sendFence();
    expect(window.framesInFlight).toBeLessThanOrEqual(MAX_FRAMES_IN_FLIGHT);
    window.answerFence();
  }
  expect(sent).toBeGreaterThan(50 * 10);
});

test('an answer without an open fence changes nothing', () => {
  const window = new ClientWindow();
  window.sendFrame();
  window.answerFence();
  expect(window.framesInFlight).toBe(1);
});

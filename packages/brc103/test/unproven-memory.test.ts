import { UnprovenMemory } from '../src/socket/unproven-memory.js';

test('what each connection has for itself is never refused, whatever others take', () => {
  const memory = new UnprovenMemory(1_000, 100);
  const greedy = Array.from({ length: 50 }, () => memory.open());
  for (const account of greedy) for (let bytes = 2_000; bytes > 100; bytes /= 2) if (account.resize(bytes)) break;
  const honest = memory.open();
  expect(honest.resize(100)).toBe(true);
});

test('one connection gets at most as much as is left to all others', () => {
  const memory = new UnprovenMemory(1_000, 0);
  const [first, second] = [memory.open(), memory.open()];
  expect(first.resize(501)).toBe(false);
  expect(first.resize(500)).toBe(true);
  expect(second.resize(251)).toBe(false);
  expect(second.resize(250)).toBe(true);
  expect(memory.usedBytes).toBe(750);
});

test('a refused size changes nothing, and a smaller one is never refused', () => {
  const memory = new UnprovenMemory(1_000, 0);
  const account = memory.open();
  account.resize(400);
  expect(account.resize(900)).toBe(false);
  expect(memory.usedBytes).toBe(400);
  const others = [memory.open(), memory.open()];
  for (const other of others) other.resize(300);
  expect(account.resize(399)).toBe(true);
});

test('what a connection held is free again when it ends', () => {
  const memory = new UnprovenMemory(1_000, 10);
  const account = memory.open();
  account.resize(400);
  account.close();
  account.close();
  expect(memory.usedBytes).toBe(0);
});

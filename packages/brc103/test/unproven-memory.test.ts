import { UnprovenMemoryBudget } from '../src/socket/unproven-memory-budget.js';

test('the free memory of each connection is never refused, whatever others use', () => {
  const memory = new UnprovenMemoryBudget(1_000, 100);
  const greedy = Array.from({ length: 50 }, () => memory.createReservation());
  for (const account of greedy) for (let bytes = 2_000; bytes > 100; bytes /= 2) if (account.resize(bytes)) break;
  const honest = memory.createReservation();
  expect(honest.resize(100)).toBe(true);
});

test('one connection gets at most as much as is left for all others', () => {
  const memory = new UnprovenMemoryBudget(1_000, 0);
  const [first, second] = [memory.createReservation(), memory.createReservation()];
  expect(first.resize(501)).toBe(false);
  expect(first.resize(500)).toBe(true);
  expect(second.resize(251)).toBe(false);
  expect(second.resize(250)).toBe(true);
  expect(memory.usedBytes).toBe(750);
});

test('a refused size changes nothing, and a smaller size is never refused', () => {
  const memory = new UnprovenMemoryBudget(1_000, 0);
  const account = memory.createReservation();
  account.resize(400);
  expect(account.resize(900)).toBe(false);
  expect(memory.usedBytes).toBe(400);
  const others = [memory.createReservation(), memory.createReservation()];
  for (const other of others) other.resize(300);
  expect(account.resize(399)).toBe(true);
});

test('the memory of a connection is free again when it ends', () => {
  const memory = new UnprovenMemoryBudget(1_000, 10);
  const account = memory.createReservation();
  account.resize(400);
  account.release();
  account.release();
  expect(memory.usedBytes).toBe(0);
});

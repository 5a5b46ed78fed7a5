export { EventHistory, waitUntil, withTimeout } from '@messagebox/test-kit';

/** What the server pushes: docs/device-push.md. */
interface PushPayload {
  readonly title: string;
  readonly body: string;
  /** The same for each push of one message to one identity. */
  readonly tag: string;
}

const worker = globalThis as unknown as ServiceWorkerGlobalScope;

worker.addEventListener('push', (event) => {
  const { title, body, tag } = readPayload(event.data);
  event.waitUntil(worker.registration.showNotification(title, { body, tag }));
});

worker.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(openConsole());
});

/** A browser must show something for each push, also for one that can't be read. */
function readPayload(data: PushMessageData | null): PushPayload {
  try {
    const { title, body, data: about } = (data?.json() ?? {}) as Record<string, unknown>;
    const { recipient, messageId } = (about ?? {}) as Record<string, unknown>;
    return {
      title: typeof title === 'string' ? title : 'New Message',
      body: typeof body === 'string' ? body : '',
      tag: `${String(recipient)} ${String(messageId)}`,
    };
  } catch {
    return { title: 'New Message', body: '', tag: '' };
  }
}

/** Shows the console: the tab where it is open, else a new one. */
async function openConsole(): Promise<void> {
  const { scope } = worker.registration;
  const windows = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const open = windows.find(({ url }) => url.startsWith(scope));
  if (open === undefined) await worker.clients.openWindow(`${scope}#/messages`);
  else await open.focus();
}

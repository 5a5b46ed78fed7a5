import { useEffect, useState } from 'preact/hooks';
import type { TrafficRecord } from '../observe/traffic.js';
import { pageInspector } from '../page-inspector.js';

/** The records of the page, the newest first. Renders again at most once per frame, however much traffic there is. */
export function useRecords(): readonly TrafficRecord[] {
  const [records, setRecords] = useState(readRecords);
  useEffect(() => {
    let scheduled: number | undefined;
    const schedule = () => {
      scheduled ??= requestAnimationFrame(() => {
        scheduled = undefined;
        setRecords(readRecords());
      });
    };
    const ends = [pageInspector.traffic.subscribe(schedule), pageInspector.calls.subscribe(schedule)];
    setRecords(readRecords());
    return () => {
      for (const end of ends) end();
      if (scheduled !== undefined) cancelAnimationFrame(scheduled);
    };
  }, []);
  return records;
}

const readRecords = (): TrafficRecord[] => pageInspector.traffic.records.reverse();

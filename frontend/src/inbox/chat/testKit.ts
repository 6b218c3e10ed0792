import { message } from "@/live/testKit";

/** Tells what is in view when the test says so. */
export class FakeIntersection {
  static all = new Set<FakeIntersection>();

  constructor(private readonly tell: (entries: { isIntersecting: boolean }[]) => void) {}

  static reachTop(): void {
    for (const each of FakeIntersection.all) each.tell([{ isIntersecting: true }]);
  }

  observe(): void {
    FakeIntersection.all.add(this);
  }

  disconnect(): void {
    FakeIntersection.all.delete(this);
  }
}

/** An inbound message that somebody has read. */
export const oldMessage = (id: number) => message(id, { ack: 3, status: "read" });

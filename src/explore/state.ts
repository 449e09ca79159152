/** Whether a virtual thread runs right now: only then are shared accesses events. */
export let inThread = false

export function setInThread(value: boolean): void {
  inThread = value
}

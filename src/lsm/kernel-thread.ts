/**
 * Whether a thread of this process has ended, as the kernel says it: known at once, while the `exit` event of a worker is
 * seen only when its parent's event loop runs. Only Linux tells; elsewhere nothing is known.
 *
 * Thread safety: any thread. An id may be given to another thread later: then the dead one seems to live.
 */
import { existsSync, readlinkSync } from 'node:fs'

const OWN = '/proc/thread-self'
const TASKS = '/proc/self/task'

/** The kernel's id of the calling thread; 0 if it is not known. */
export function kernelThread(): number {
  try {
    const id = Number(/\/task\/(\d+)$/.exec(readlinkSync(OWN))?.[1] ?? 0)
    // In some sandboxes the two do not fit together.
    return existsSync(`${TASKS}/${id}`) ? id : 0
  } catch {
    return 0
  }
}

/** Whether a thread that `kernelThread` named is surely no more. */
export function hasEnded(id: number): boolean {
  return id !== 0 && existsSync(TASKS) && !existsSync(`${TASKS}/${id}`)
}

import type { SharedLog } from '../../../src/lsm/shared-log.ts'

/** Gives up all slots of a participant, as its reaper does one by one. @returns how many there were */
export function abortAllOf(log: SharedLog, owner: number): number {
  let aborted = 0
  for (let position = log.reservedBy(owner); position >= 0; position = log.reservedBy(owner)) {
    if (log.settle(position, false)) aborted++
  }
  return aborted
}

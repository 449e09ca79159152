/**
 * Two schemes that are wrong on purpose, as controls: a check that cannot tell them from epochs checks nothing.
 */
import { EpochScheme } from './epoch.ts'
import { COUNTER } from './participant.ts'

/** Never frees: what leaks under it is what reclamation is worth. */
export class NoneScheme extends EpochScheme {
  override readonly name: string = 'none'
  override readonly reclaims: boolean = false

  override retire(): void {
    this.me.count(COUNTER.retired, 1)
  }
}

/** Frees at once, under the readers' feet: every use-after-free check must go off with it. */
export class UnsafeScheme extends EpochScheme {
  override readonly name: string = 'unsafe'

  override retire(op: number, argument: number, epoch: number): void {
    this.me.count(COUNTER.retired, 1)
    this.run(op, argument, epoch)
  }
}

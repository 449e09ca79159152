/** What instrumented code imports. */
export * from './language.ts'
export { $direct, $exec, $pre, $wait } from './steps.ts'
export { $at, $rd, $ref, $upd, $wr } from './plain.ts'
export { $sites } from './sites.ts'
export { $lp, $m } from './spins.ts'

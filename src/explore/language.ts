/** What rewritten code needs to run as coroutines, and the parts of the language that call functions by themselves. */
export * from './language/array-methods.ts'
export * from './language/coroutines.ts'
export { $close, $collect, $delegate, $iter, $open, $token } from './language/iteration.ts'

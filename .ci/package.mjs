// What was built is one package, as its users import it: the explorer's errors are of the class that the engine exports,
// though the engine lies in one module and the explorer in many.
import assert from 'node:assert/strict'
import { HeddleError, open } from 'heddle'
import { explore } from 'heddle/explore'

assert.throws(() => explore({}), HeddleError)
const store = open({ memory: 2 ** 22 })
assert.throws(() => store.set('', {}), HeddleError)
store.set('key', 'value')
assert.equal(store.get('key'), 'value')
store.close()

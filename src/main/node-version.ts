/**
 * Imported first, for its effect: on an older Node the libraries below would fail with a riddle.
 * The floor is that of undici 8.
 */
const LEAST = [22, 19] as const

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < LEAST[0] || (major === LEAST[0] && minor < LEAST[1])) {
  process.stderr.write(
    `couchestor needs Node.js ${LEAST.join('.')} or newer; this is ${process.versions.node}. Run it with a newer node\n`,
  )
  process.exit(2)
}

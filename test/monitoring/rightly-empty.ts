const TIMES = ['Time of an operation A', 'Time of an operation B']
/** What needs usage numbers. */
const JUDGED = [
  'Samples that arrived A',
  'Demand D',
  'Lead of the best other tier A',
  'Samples that arrived, over time A',
]
const attachedBut = (own: string) =>
  ['A', 'B', 'C', 'D'].filter((refId) => refId !== own).map((refId) => `Attached to ${refId}`)

function nothingOf(where: string, why: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [`${where}: ${name}`, why]))
}

/** Queries whose series are rightly not there in the lab's run, with the reason. Prometheus must understand them nevertheless. */
export const RIGHTLY_EMPTY: Readonly<Record<string, string>> = {
  'CoucheStor / Fleet: Moves under way A': 'a move of 1 GiB may fit between two scrapes',
  'CoucheStor / Fleet: Moves under way B': 'no move is late',
  'CoucheStor / Fleet: Did moves save what was predicted? A': 'no move is a week old',
  'CoucheStor / Operations: Errors and repetitions A': 'nothing fails',
  'CoucheStor / Operations: Errors and repetitions B': 'nothing fails',
  'CoucheStor / Operations: Errors and repetitions C': 'nothing fails',
  'CoucheStor / Operations: Failures of watches, and events not written A': 'no watch fails',
  'CoucheStor / Operations: Failures of watches, and events not written B': 'no event is dropped',
  'CoucheStor / Operations: Failed requests to OpenStack A': 'nothing fails',
  'CoucheStor / Operations: Memory B': 'outside a container there is no limit',
  'CoucheStor / Operations: Alerts that fire A': 'the lab loads no rules',
  'CoucheStor / Operations: Credential ends in A': 'the credential of the lab has no end',
  ...nothingOf('CoucheStor / Operations', 'no exporter runs', [
    'Volumes that Gnocchi knows A',
    'Age of what the exporter shows A',
    'Age of what the exporter shows B',
    'Age of what the exporter shows C',
  ]),
  ...nothingOf('agent', 'another exporter', attachedBut('A')),
  ...nothingOf('libvirt', 'another exporter', attachedBut('B')),
  ...nothingOf('node_exporter', 'another exporter', attachedBut('C')),
  ...nothingOf('Gnocchi', 'another exporter', attachedBut('D')),
  ...nothingOf('agent', 'counts no time', TIMES),
  ...nothingOf('Gnocchi', 'counts no time', TIMES),
  ...nothingOf('libvirt', 'not the source of the controller', JUDGED),
  ...nothingOf('node_exporter', 'not the source of the controller', JUDGED),
  ...nothingOf('Gnocchi', 'not the source of the controller', JUDGED),
}

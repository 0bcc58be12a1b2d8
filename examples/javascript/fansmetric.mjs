// The mock's control API for tests in JavaScript: an organization of one's own, its clock, its faults.
// Start the mock with `mockserver serve`; FANSMETRIC_URL says where it is.

export const url = process.env.FANSMETRIC_URL ?? 'http://127.0.0.1:4010';
const token = process.env.FANSMETRIC_MOCK_TOKEN ?? '';

async function control(method, path, body) {
  const response = await fetch(`${url}/_mock${path}`, {
    method,
    headers: { 'Content-Type': 'application/json', 'X-Mock-Token': token },
    body: body === undefined ? undefined : JSON.stringify(body),
  }).catch((cause) => {
    throw new Error(`no mock answers at ${url}; start one with mockserver serve`, { cause });
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error); // the mock says what would be right
  return answer;
}

/** Makes a fresh organization; options are those of POST /_mock/organizations. */
export async function organization(options = {}) {
  const { id } = await control('POST', '/organizations', options);
  const path = `/organizations/${id}`;
  const call = (method, below, body) => control(method, path + below, body);
  const clock = await call('GET', '/clock');
  const left = 60 - new Date(clock.now).getUTCSeconds();
  // Windows end with the minute, so no organization begins in the last ten seconds of one.
  if (left <= 10 && clock.world !== 'frozen') await call('POST', '/clock', { advance: left });
  return {
    id,
    call,
    key: async (permissions = '*') => (await call('POST', '/keys', { permissions })).key,
    set: (changes) => call('PATCH', '', changes),
    loseSync: (account) => call('PATCH', `/accounts/${account}`, { state: 'sync_lost' }),
    advance: (seconds) => call('POST', '/clock', { advance: seconds }),
    setRemaining: (remaining) => call('PUT', '/headroom', remaining),
    failNext: (status, times = 1) => call('POST', '/faults', { status, times }),
    requests: async () => (await call('GET', '/journal')).exchanges,
    findings: async () => (await call('GET', '/audit')).findings,
    remove: () => call('DELETE', ''),
  };
}

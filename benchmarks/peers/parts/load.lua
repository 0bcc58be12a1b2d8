-- Sends one request over and over: wrk -s load.lua URL -- METHOD FILE-WITH-BODY "NAME: VALUE" ...
-- Prints the figures as one line of JSON, below wrk's own text.

function init(args)
   wrk.method = args[1]
   local file = assert(io.open(args[2], "r"))
   local body = file:read("*a")
   file:close()
   if #body > 0 then wrk.body = body end
   for i = 3, #args do
      local name, value = args[i]:match("^(.-): (.*)$")
      wrk.headers[name] = value
   end
end

function done(summary, latency, requests)
   local errors = summary.errors
   io.write(string.format(
      '{"requests":%d,"duration":%d,"p50":%d,"p99":%d,"status":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d}\n',
      summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
      errors.status, errors.connect, errors.read, errors.write, errors.timeout))
end

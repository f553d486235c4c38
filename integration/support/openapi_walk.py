#!/usr/bin/python3
"""openapi_walk.py DOCUMENT ADDRESS: does a live cnmd do what packaging/docs/openapi.json says?

Walks a story that calls every operation of the document, then bad input on each, and compares every answer's status,
content type and body with what the document says of it. ADDRESS is a unix socket's path or 127.0.0.1:PORT. Prints what
differs, and exits 1 if anything does or an operation was never called.
"""
import http.client
import json
import re
import socket
import sys

DRIVER = 'test'  # the plugin of dnet -d: it knows every call and does nothing


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__('cnm', timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Walk:
    def __init__(self, document, address):
        self.document, self.address = document, address
        self.called, self.defects, self.ids = set(), [], {}

    def resolve(self, node):
        while '$ref' in node:
            target = self.document
            for step in node['$ref'][2:].split('/'):
                target = target[step]
            node = target
        return node

    def send(self, method, path, body):
        connection = (UnixConnection(self.address) if self.address.startswith('/')
                      else http.client.HTTPConnection(self.address, timeout=60))
        connection.request(method, path, body, {'Content-Type': 'application/json'} if body else {})
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return response.status, response.headers.get('Content-Type', ''), text

    def mismatch(self, value, schema, where):
        """Why the value is not of the schema; '' if it is. The part of JSON Schema that the document uses."""
        schema = self.resolve(schema)
        kinds = {'object': dict, 'array': list, 'string': str, 'boolean': bool, 'integer': int}
        kind = schema['type']
        if not isinstance(value, kinds[kind]) or (kind == 'integer' and isinstance(value, bool)):
            return f'{where}: want {kind}, got {value!r}'
        if 'enum' in schema and value not in schema['enum']:
            return f'{where}: {value!r} is not in {schema["enum"]}'
        if kind == 'array':
            return next(filter(None, (self.mismatch(v, schema['items'], f'{where}[{i}]')
                                      for i, v in enumerate(value))), '')
        if kind != 'object':
            return ''
        missing = [key for key in schema.get('required', []) if key not in value]
        if missing:
            return f'{where}: without {missing}'
        known, others = schema.get('properties', {}), schema.get('additionalProperties', True)
        for key, member in value.items():
            if key not in known and others is False:
                return f'{where}: unknown {key}'
            part = known.get(key, others)
            why = '' if part is True else self.mismatch(member, part, f'{where}.{key}')
            if why:
                return why
        return ''

    def operations(self):
        """Not those of Docker's door, which this daemon does not have: docker_failures.bats goes through them."""
        for path, methods in self.document['paths'].items():
            for method, operation in methods.items():
                if 'docker' not in operation.get('tags', []):
                    yield path, method.upper(), operation

    def call(self, name, body=None, query='', ids=None, want=None, prefix=''):
        """Calls the operation of that operationId, checks the answer against the document, returns its JSON."""
        path, method, operation = next(o for o in self.operations() if o[2]['operationId'] == name)
        values = {**self.ids, **(ids or {})}
        target = prefix + re.sub(r'{(\w+)}', lambda m: values[m[1]], path) + query
        raw = body if body is None or isinstance(body, str) else json.dumps(body)
        status, content_type, text = self.send(method, target, raw)
        what = f'{name} ({method} {target} {raw}) -> {status} {text.strip()!r}'
        self.called.add(name)
        if want and status != want:
            self.defects.append(f'{what}: want {want}')
        responses = operation['responses']
        if str(status) not in responses:
            self.defects.append(f'{what}: status not in the document')
            return None
        content = self.resolve(responses[str(status)]).get('content')
        if not content:
            if text or content_type:
                self.defects.append(f'{what}: has a body, the document says none')
            return None
        kind = next(iter(content))
        if content_type.split(';')[0] != kind or not text.endswith('\n'):
            self.defects.append(f'{what}: content type {content_type}, want {kind} and a newline at the end')
            return None
        if kind != 'application/json':
            return None
        value = json.loads(text)
        why = self.mismatch(value, content[kind]['schema'], name)
        if why:
            self.defects.append(f'{what}: {why}')
        return value

    def story(self):
        ids = self.ids
        ids['network'] = self.call('createNetwork', {'name': 'walk', 'network_type': DRIVER}, want=201)
        self.call('createNetwork', {'name': 'walk', 'network_type': DRIVER}, want=403)
        self.call('createNetwork', {'name': 'walk2', 'network_type': 'none-such'}, want=404)
        for query in ('', '?name=walk', f'?partial-id={ids["network"][:6]}'):
            for prefix in ('', '/v1.19'):
                found = self.call('listNetworks', query=query, want=200, prefix=prefix)
                if 'walk' not in [network['name'] for network in found]:
                    self.defects.append(f'listNetworks{query}: misses the network')
        self.call('listNetworks', query='?name=walk&partial-id=x', want=400)
        self.call('getNetwork', want=200)
        ids['endpoint'] = self.call('createEndpoint', {'name': 'one', 'exposed_ports': [{'Proto': 6, 'Port': 80}],
                                                       'port_mapping': None}, want=201)
        ids['service'] = self.call('publishService', {'name': 'two', 'network_name': 'walk'}, want=201)
        self.call('publishService', {'name': 'two', 'network_name': 'walk'}, want=403)
        self.call('deleteNetwork', want=403)
        for name in ('listEndpoints', 'listServices'):
            for query in ('', '?name=two', f'?partial-id={ids["service"]}'):
                if not self.call(name, query=query, want=200):
                    self.defects.append(f'{name}{query}: is empty')
        self.call('listServices', query='?network=walk', want=200)
        for name in ('getEndpoint', 'getService', 'getNetworkDetails'):
            self.call(name, want=200)
        ids['sandbox'] = self.call('createSandbox', {'container_id': 'walker', 'use_external_key': True}, want=201)
        self.call('createSandbox', {'container_id': 'walker', 'use_external_key': True}, want=400)
        for query in ('', '?container-id=walker', '?partial-container-id=walk', f'?partial-id={ids["sandbox"]}'):
            if not self.call('listSandboxes', query=query, want=200):
                self.defects.append(f'listSandboxes{query}: is empty')
        self.call('getBackend', want=200)
        self.call('joinEndpoint', {'sandbox_id': ids['sandbox']}, want=200)
        self.call('joinEndpoint', {'sandbox_id': ids['sandbox']}, want=403)
        self.call('attachBackend', {'sandbox_id': ids['sandbox'], 'priority': 5}, want=200)
        for name in ('getBackend', 'getEndpointDetails', 'getServiceDetails', 'getSandbox'):
            self.call(name, want=200)
        if 'one' not in [endpoint['name'] for endpoint in self.call('getInventory', want=200)['endpoints']]:
            self.defects.append('getInventory: misses the endpoint')
        self.call('getSandboxDetails')
        self.call('deleteEndpoint', want=403)
        self.call('unpublishService', want=403)
        self.call('leaveEndpoint', want=200)
        self.call('leaveEndpoint', want=403)
        self.call('detachBackend', want=200)
        self.bad_input()
        self.call('attachBackend', {'sandbox_id': ids['sandbox']}, want=200)
        self.call('unpublishService', {'name': 'two', 'force': True}, want=200)
        for name in ('deleteEndpoint', 'deleteSandbox', 'deleteNetwork'):
            self.call(name, want=200)
            self.call(name, want=404)
        if self.call('listNetworks', query='?name=walk') or self.call('listSandboxes', query='?container-id=walker'):
            self.defects.append('something is left')

    def bad_input(self):
        """Ids that are none, bodies that are none, and each member of each body with each wrong type."""
        for path, _, operation in list(self.operations()):
            name = operation['operationId']
            body = operation.get('requestBody')
            for variable in re.findall(r'{(\w+)}', path):
                good = {'sandbox_id': self.ids['sandbox'], 'name': 'x'} if body and body['required'] else None
                self.call(name, good, ids={variable: 'f' * 64}, want=404)
            if not body:
                continue
            for raw in ['[]', 'null', '"x"', '{', '{"name":"\\ud800', '{}{}'] + ([''] if body['required'] else []):
                self.call(name, raw, want=400)
            schema = self.resolve(body['content']['application/json']['schema'])
            for key, member in schema['properties'].items():
                for value in ('x', 5, 1.5, True, [], [5], ['x'], {}, {'a': 5}):
                    right = self.mismatch(value, member, key) == ''
                    if not right:
                        self.call(name, {key: value}, want=400)


def main():
    with open(sys.argv[1], encoding='utf-8') as file:
        walk = Walk(json.load(file), sys.argv[2])
    walk.story()
    never = {operation['operationId'] for _, _, operation in walk.operations()} - walk.called
    walk.defects += [f'{name}: never called' for name in sorted(never)]
    print('\n'.join(walk.defects) or f'{len(walk.called)} operations are as documented')
    sys.exit(1 if walk.defects else 0)


main()

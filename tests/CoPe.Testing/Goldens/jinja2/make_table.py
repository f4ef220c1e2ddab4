"""Writes table.json: what Jinja2, in the settings that transformers uses, makes of each template below.

    python3 make_table.py     (needs the package jinja2, 3.1.6)
"""
import json
from datetime import datetime

import jinja2
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


MESSAGES = [
    {"role": "system", "content": " Be brief. "},
    {"role": "user", "content": "Hi 😀"},
    {"role": "assistant", "content": "Hello"},
]

VALUES = """
3|round(2)                       2.7|round(0,'floor')            2.2|round(0,'ceil')          2.5|round
3.5|round                        -2.5|round                      2.675|round(2)               1234.5678|round(-2)
1234|round(-2)                   1250|round(-2)                  1.005|round(2,'common')      0.1|round(20)
1e300|round(3)                   7|round                         true|round                   5.55|round(1)
1.25|round(1)                    1.35|round(1)                   2.5|round(0)                 -0.4|round
'Straße'|upper                   'ŉ ﬁ ΐ'|upper                   'İI'|lower                   'ΑΣ ΑΣΑ Σ'|lower
"they're"|title                  'a-b c_d (e f'|title            'ǆ ßa ﬁn'|title              'HELLO wORLD'|title
"they're".title()                'ǆ x'.title()                   'éa ΣΑΣ'.title()             'straße'|capitalize
'ßa'|capitalize                  'ßa'.capitalize()               'ﬁRST'.capitalize()          'aB😀c'.swapcase()
['a','A']|unique|list            ['a','A']|unique(true)|list     [1,1.0,true,2]|unique|list   [[1]]|unique|list
['b','A','a','B']|sort           ['b','A','a']|sort(case_sensitive=true)                      [3,1,2]|sort(reverse=true)
[{'a':2},{'a':1}]|sort(attribute='a')                            [(1,2),(1,1),(0,5)]|sort     ['b',1]|sort
messages|sort(attribute='role,content')|map(attribute='role')|list
messages|map(attribute='role')|unique|join(',')
'👍x'.find('x')                  '👍x'.rfind('x')                '👍x'.index('x')             'abc'.find('z')
'abcabc'.find('a',1)             'abcabc'.find('c',-2)           'abcabc'.rfind('a',0,3)      'abc'.find('',9)
'abc'.index('z')                 'a👍b👍'.count('👍')            'aaa'.count('aa')            'abc'.count('')
'abc'.count('',1,2)              'ab'.count('b',5)               '²'.isdigit()                '²'.isdecimal()
'½'.isnumeric()                  '½'.isdigit()                   '٣'.isdigit()                ''.isdigit()
'a1'.isalnum()                   'aé'.isalpha()                  ' \\t'.isspace()             'Ab'.istitle is defined
'12'.isnumeric()                 'AB1'.isupper()                 'ab1'.islower()              'é'.isascii()
'0x1A'|int(0,16)                 '1A'|int(0,16)                  '0b11'|int(0,2)              '0o17'|int(0,0)
'12'|int(0,0)                    '012'|int(7,0)                  '012'|int                    '1_000'|int
'12.7'|int                       'x'|int                         'x'|int(3)                   'x'|int(default=4)
' 42 '|int                       '-7'|int                        '+7'|int                     none|int
true|int                         2.9|int                         -2.9|int                     '1e3'|int
'zz'|int(0,36)                   '9'|int(5,8)                    ''|int                       '--1'|int
'1.5'|float                      'x'|float                       'x'|float(2)                 'inf'|float
'-Infinity'|float                '1_0.5'|float                   '.5'|float                   '1e3'|float
'nan'|float                      none|float                      7|float                      '1e'|float
3|abs                            -3|abs                          -2.5|abs                     true|abs
7 // 2                           -7 // 2                         7 // -2                      -7 % 3
7 % -3                           7.5 // 2                        -7.5 % 2                     7.5 % -2
2 ** 10                          2 ** -1                         2.0 ** 0.5                   0 ** 0
1 / 3                            6 / 3                           1e16                         1e15
123456789.123                    0.0001                          0.00001                      1e22
1.0                              -0.0                            100000000000000000.0         5e-324
0x1F                             0b101                           1_000                        0xff_ff
true + 1                         true == 1                       1 == 1.0                     'a' == 1
[1,2] == [1,2.0]                 (1,2) == [1,2]                  {'a':1} == {'a':1.0}         none == false
'a' < 'b'                        'a' < 'B'                       '😀' < '\uFFFD'              [1,2] < [1,3]
[1] < [1,0]                      (1,'b') < (1,'a')               1 < 'a'                      none < 1
'a' * 3                          3 * 'ab'                        'a' * -1                     [0] * 3
(1,) * 2                         true * 'x'                      [1] + [2]                    (1,) + (2,)
[1] + (2,)                       'a' ~ 1 ~ none ~ 1.0            'a' ~ [1,'b']                'a' ~ nothing
not nothing                      nothing is defined              nothing + 'a'                'a' in 'abc'
1 in [1.0]                       'a' in {'a':1}                  1 in 'a'                     4 not in [1]
1 < 2 < 3                        1 < 2 > 3                       not 1 == 2                   '' or 'x'
0 and 1                          'x' if 1 > 2 else 'y'           'x' if false                 none
+true                            -true                           - 3|abs                      not true or true
range(3)                         range(1,7,2)                    range(5,0,-2)|list           range(3)[1]
range(3)|length                  range(10)[-1]                   range(4)[1:3]|list           range(3)|join
range(0)|list                    range(100001)                   range(1,2,0)                 (range(3)|list) == [0,1,2]
{'a':1,'b':[1,'x',none]}         (1,)                            ()                           []
{1:'a',true:'b',none:'c'}        {(1,2):3}                       {[1]:2}                      {'a':1}['a']
{'a':1}.a                        {'items':1}.items is callable   {'items':1}['items']         {'a':1}.get('b')
{'a':1}.get('b',2)               {'a':1}.get('a','x')            {'a':1}.keys()               {'a':1,'b':2}.values()
{'a':1}.items()                  {'a':1}.keys()|list             {'a':1,'b':2}.items()|list   {'b':1,'A':2}|dictsort
{'b':1,'A':2}|dictsort(true)     {'b':1,'A':2}|dictsort(by='value')                           {'b':1,'a':2}|dictsort(reverse=true)
{'b':1}|dictsort(by='x')         {'a':1}|items|list              dict(a=1,b=2)                dict({'a':1},b=2)
dict([('a',1)])                  {'a':1}|length                  {'a':1}|list                 {'a':1}|first
[1,2,3][::-1]                    [1,2,3][1:]                     [1,2,3][-2:]                 'abc'[::-1]
'a😀b'[1]                        'a😀b'[::-1]                    [1,2,3][5]                   [1,2,3][-1]
'abc'[5:]                        [1,2,3][0:3:2]                  (1,2,3)[1:]                  [1][true]
[1,2].index(2)                   [1,1].count(1)                  [1].index(3)                 [1].append(2)
'a,b,,c'.split(',')              ' a \\x20b '.split()                'a b c'.split(' ',1)         'a b \\x20c d'.split(none,1)
'a,b,c'.split(',',maxsplit=1)    'a,b,c'.rsplit(',',1)           'a b c '.rsplit(none,1)      'abc'.split('')
'a=b=c'.partition('=')           'a=b=c'.rpartition('=')         'abc'.partition('=')         'abc'.rpartition('=')
'a\\nb\\r\\nc'.splitlines()      'a\\nb\\n'.splitlines(true)     'a\\x0bb\\u2028c'.splitlines()  ''.splitlines()
'abc'.startswith('b',1)          'abc'.startswith(('x','a'))     'abc'.endswith('b',0,2)      'abc'.endswith(('c',))
'abc'.startswith('')             'abc'.startswith('a',5)         'abc'.startswith(1)          'a'.startswith('a',x=1)
'xxabxx'.strip('x')              ' a '.lstrip()                  'abc'.rstrip('cb')           'abc'.strip('')
'abc'.removeprefix('a')          'abc'.removesuffix('bc')        'abc'.removeprefix('x')      'a'.strip(1)
'aXbX'.replace('X','-')          'aXbX'.replace('X','-',1)       'ab'.replace('','-')         'ab'.replace('','-',2)
'aXbX'|replace('X','')           'aXbX'|replace('X','-',1)       'ab'|replace('','.')         12|replace('1','x')
','.join(['a','b'])              ','.join('abc')                 ','.join([1])                '-'.join({'a':1})
'ab'.center(5)                   'ab'.center(5,'*')              'abc'.center(6,'*')          'a'.ljust(3,'.')
'a'.rjust(3)                     '-5'.zfill(4)                   '5'.zfill(3)                 'a'.center(4,'ab')
'abc'|center(8)                  'abc'|length                    '😀'|length                  'abc'|first
'abc'|last                       'abc'|reverse                   [1,2]|reverse|list           'a😀'|list
[]|first                         []|last                         []|max                       [1,3,2]|max
['b','A']|min                    ['b','A']|min(true)             messages|max(attribute='role')|tojson            [3,1]|min
[1,2,3]|sum                      [1,2]|sum(start=10)             [{'a':1},{'a':2}]|sum('a')   ['a']|sum
[1,2,3,4,5]|batch(2)|list        [1,2,3]|batch(2,0)|list         [1,2,3,4,5]|slice(3)|list    [1,2,3]|slice(2,'x')|list
[1,2]|join('-')                  [1,none]|join                   messages|join(',',attribute='role')  [1,2]|join(d='+')
[1,2,3]|select('odd')|list       [1,2,3]|reject('gt',1)|list     [0,1,'']|select|list         [1,2]|select('in',[2])|list
messages|selectattr('role','equalto','user')|list|length         messages|rejectattr('role','eq','user')|map(attribute='role')|list
messages|selectattr('role')|list|length                          messages|map('length')|list  ['a','b']|map('upper')|join
messages|map(attribute='x',default='-')|list                     messages|map(attribute='x',foo=1)|list    [[1,2]]|map(attribute=1)|list
[1.5,2.5]|map('round')|list      ['x']|map('replace','x','y')|list  ['1']|map('int',base=8)|list  [1]|select('nope')|list
{'a':'é"<>&'}|tojson             {'a':1}|tojson(indent=2)        [1,[2]]|tojson(indent=1)     {'b':1,'a':2}|tojson(sort_keys=true)
'é'|tojson(ensure_ascii=true)    '😀'|tojson(true)               [1,2]|tojson(separators=(',',':'))  {'a':[]}|tojson(indent=2)
{1:2,true:3,none:4,1.5:5}|tojson  [1.0,1e16,true,none]|tojson    'a\\x7f\\n\\u2028'|tojson    range(2)|tojson
{'a':1}|tojson(foo=1)            nothing|tojson                  (1,2)|tojson                 'inf'|float|tojson
'a\\nb\\n\\nc'|indent            'a\\nb'|indent(2,true)          'a\\n\\nb'|indent(1,blank=true)  'a\\nb'|indent('> ')
'a\\n'|indent                    'a\\r\\nb'|indent(2)            ''|indent(first=true)        'a'|indent(width=2,foo=1)
'%s is %d'|format('a',3)         '%(a)s'|format(a=1)             '%s'|format('a','b')         '%s %s'|format('a')
'%5.2f|%-5d|%05d|%+d' % (3.14159,7,42,5)                         '%x %X %o %#x' % (255,255,8,255)   '%e %g %G' % (12345.678,0.00001,1e20)
'%s' % 'x'                       '%s' % [1]                      '%s' % ((1,2),)              '%r' % 'a'
'%%' % ()                        '%d' % 'a'                      '%c%c' % (65,'b')            '%(a)s' % {'a':1}
'%5s|%-5s|%.2s' % ('a','b','cde')                                '%d' % 3.9                   '%i' % true
'%s %s' % ('a',)                 '%s' % ()                       'a' % ()                     'a' % 1
'{} {}'.format('a',1)            '{1}{0}'.format('a','b')        '{a}'.format(a=1)            '{:>5}|{:<5}|{:^5}'.format('a','b','c')
'{:.2f}'.format(3.14159)         '{:05d}'.format(42)             '{:,}'.format(1234567)       '{:x} {:b} {:o}'.format(255,5,8)
'{:%}'.format(0.25)              '{:e}'.format(12345.678)        '{:g}'.format(0.0001)        '{!r}'.format('a')
'{0[a]}'.format({'a':1})         '{{}}'.format()                 '{'.format()                 '{}'.format()
'{:*^7}'.format('ab')            '{:+d}'.format(5)               '{:.3}'.format('abcdef')     '{:{w}}'.format('a',w=4)
'{:d}'.format('a')               '{:.1f}'.format(2.25)           '{:.0f}'.format(2.5)         '{}'.format(none)
'{:.2%}'.format(0.12345)         '{:10.3e}'.format(1234.5)       '{:_}'.format(12345)         '{:s}'.format(1)
'foo bar baz qux'|truncate(9)    'foo bar baz qux'|truncate(9,true)   'foo bar'|truncate(9)   'foo bar baz qux'|truncate(11,false,'',0)
'a b-c, d'|wordcount             ' \\x20a '|trim                     'xax'|trim('x')              'a'|trim(foo=1)
'a'|default('b')                 nothing|default('d')            ''|default('d',true)         none|default('d')
nothing|default                  ''|d('x',boolean=true)          1|string                     none|string
'a' is string                    1 is number                     true is number               true is integer
1.0 is float                     [] is sequence                  {} is mapping                'a' is iterable
1 is iterable                    3 is odd                        4 is even                    9 is divisibleby 3
9 is divisibleby(4)              1 is eq 1                       1 is ne 2                    1 is lt(2)
1 is in [1]                      none is none                    true is true                 1 is true
'a' is lower                     'A' is upper                    '1' is lower                 none is sameas none
range is callable                'upper' is filter               'nope' is filter             'odd' is test
nothing is undefined             1 is defined                    'a' is boolean               false is false
'a' is not string                3 is not odd                    1 is gt 0 and 2 is even      x is undefined or true
messages[0].content|trim         messages|length                 messages[-1]['role']         messages[9]
messages[9].role                 messages.0.role                 messages[0]['nope']          messages[0].nope.x
'a' 'b'                          'a\\'b'                         "a'b"                        ['a\\'b','\\n','é','\\u200b','\\x85']
'\\ud83d\\ude00'|length > 0      'a\\qb'                         'tab\\there'                 ['"',"'",'\\\\\\\\']
namespace(a=1).a                 namespace({'a':2}).a            namespace(a=1).b             namespace(1)
'abc'|upper|lower|capitalize     ('a','b')|join                  (1,2,3)|last                 'a'|attr('upper') is callable
'x'|upper('y')                   'abc'|first(1)                  [1]|length(2)                'a'|nope
'abc'.nope                       'abc'.nope()                    'a'.upper(1)                 {'a':1}.get()
1.e                              1|list                          'a'|list|join('+')           none|length
"""

BLOCKS = [
    "{% for i in [1,2] %}{{ loop.depth }}{{ loop.depth0 }}{% for j in [3] %}{{ loop.depth }}{% endfor %}{% endfor %}",
    "{% for n in [{'v':1,'c':[{'v':2,'c':[]}]}] recursive %}{{ loop.depth }}{{ n.v }}{{ loop(n.c) }}{% endfor %}",
    "{% for i in [1] %}{{ loop([2]) }}{% endfor %}",
    "{% for i in [1,1,2] %}{{ loop.changed(i) }}{% endfor %}",
    "{% for i in 'abc' %}{{ loop.cycle('x','y') }}{{ loop.revindex }}{{ loop.previtem }}{{ loop.nextitem }}{% endfor %}",
    "{% for i in [] %}x{% else %}none{% endfor %}",
    "{% for i in range(5) if i is odd %}{{ i }}{{ loop.length }}{% endfor %}",
    "{% for i in range(9) %}{% if i == 1 %}{% continue %}{% elif i == 3 %}{% break %}{% endif %}{{ i }}{% endfor %}",
    "{% for a, b in [(1,2),(3,4)] %}{{ a }}{{ b }}{% endfor %}",
    "{% for a, (b, c) in [(1,(2,3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
    "{% for a, in [(1,)] %}{{ a }}{% endfor %}",
    "{% for k, v in {'a':1}|items %}{{ k }}{{ v }}{% endfor %}",
    "{% for x in nothing %}x{% endfor %}",
    "{% for x in 5 %}x{% endfor %}",
    "{% for x in none %}x{% endfor %}",
    "{% set x = 1 %}{% for i in [2] %}{% set x = i %}{% endfor %}{{ x }}",
    "{% set x = 1 %}{% if true %}{% set x = 2 %}{% endif %}{{ x }}",
    "{% set ns = namespace(x=1) %}{% for i in [2] %}{% set ns.x = i %}{% endfor %}{{ ns.x }}",
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}",
    "{% set a = 1, %}{{ a }}",
    "{% set c %}<{{ 1 }}>{% endset %}{{ c }}",
    "{% set c | upper | trim %} abc {% endset %}[{{ c }}]",
    "{% set x.y = 1 %}",
    "{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{{ a is defined }}",
    "{% with a = 1 %}{% set b = a %}{% endwith %}{{ b is defined }}",
    "{% with %}x{% endwith %}",
    "{% set a = 1 %}{% with a = 2, b = a %}{{ b }}{% endwith %}",
    "{% filter upper %}abc{{ 'd' }}{% endfilter %}",
    "{% filter replace('a', 'b')|upper %}aaa{% endfilter %}",
    "{% macro m(a, b='x') %}[{{ a }}{{ b }}]{% endmacro %}{{ m(1) }}{{ m(1, b=2) }}{{ m(b=1, a=2) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m() }}|{{ m(1, 2) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(c=2) }}",
    "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, x=3) }}",
    "{% macro m(a) %}{{ a }}{{ varargs|length }}{% endmacro %}{{ m(*[1, 2, 3]) }}",
    "{% macro m(a, b) %}{{ a }}{{ b }}{% endmacro %}{{ m(**{'b': 1, 'a': 2}) }}{{ m(*(3,), **{'b': 4}) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, **{'a': 2}) }}",
    "{% macro m(a, b) %}{{ a }}{{ b }}{% endmacro %}{{ m(1, a=2) }}",
    "{% macro d(x) %}<{{ caller() }}{{ x }}>{% endmacro %}{% call d(1) %}in{% endcall %}",
    "{% macro d() %}{% for i in [1,2] %}{{ caller(i) }}{% endfor %}{% endmacro %}{% call(n) d() %}({{ n }}){% endcall %}",
    "{% macro d() %}x{% endmacro %}{% call d() %}in{% endcall %}",
    "{% macro d() %}{{ caller is defined }}{% if caller %}y{% endif %}{% endmacro %}{{ d() }}",
    "{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) }}",
    "{% macro m(a=1, b) %}{% endmacro %}",
    "{{ dict(a=1, a=2) }}",
    "{{ dict(**{'a': 1}, **{'b': 2}) }}",
    "{{ dict(a=1, 2) }}",
    "{{ raise_exception('no') }}",
    "{% if nothing %}a{% elif [] %}b{% elif 0.0 %}c{% else %}d{% endif %}",
    "{% if x is defined and x.y %}a{% else %}b{% endif %}",
    "a\n{% if true %}\nb\n{% endif %}\nc\n",
    "  {% if true %}x{% endif %}\n  {{ 1 }}\n",
    "a  {%- if true -%}  b  {%- endif -%}  c",
    "  {%+ if true %}x{% endif %}",
    "a {# c #} b\n{#- d -#}\n c",
    "{% raw %}{{ x }}{% endraw %}",
    "{%- raw -%}  {{ x }}  {%- endraw -%} y",
    "{% if true %}\n\n{{ 1 }}\n{% endif %}\n\n",
    "\n\n{{ 1 }}",
    "{{ 1 }}{# x\ny #}\nz",
    "{% include 'x' %}",
    "{% nope %}",
    "{% endif %}",
    "{{ 'x }}",
    "{{ (1 }}",
    "{{ 1 | }}",
    "{{ }}",
    "{{ [1,2,] }}{{ {'a':1,} }}{{ (1,2,) }}",
    "{{ {'a':{'b':[1,2]}}.a.b[1] }}",
    "{{ messages[1:]|map(attribute='role')|join(', ') }}",
    "{% for m in messages %}{{ loop.index }}:{{ m.role }}{{ ' ' if not loop.last }}{% endfor %}",
    "{% for m in messages|selectattr('role', 'in', ['user', 'assistant']) %}{{ m['content'] }};{% endfor %}",
    "{% set ns = namespace(found=false) %}{% for m in messages %}{% if m.role == 'user' %}{% set ns.found = true %}"
    "{% endif %}{% endfor %}{{ ns.found }}",
    "{{ messages|tojson }}",
    "{{ bos_token + messages[0]['role']|upper + '\\n' }}|",
    "{% set loop_messages = messages[1:] if messages[0].role == 'system' else messages %}{{ loop_messages|length }}",
    "{{ '<|' ~ messages[1].role ~ '|>' }}{{- ' x ' -}} y",
]


def values():
    for line in VALUES.strip().splitlines():
        cells = [cell.strip() for cell in line.split("  ")]
        yield from ("{{ " + cell.replace("\\\\", "\\") + " }}" for cell in cells if cell)


def render(environment, template):
    try:
        text = environment.from_string(template).render(messages=MESSAGES, bos_token="<s>", add_generation_prompt=True)
        return {"template": template, "rendered": text}
    except Exception as error:
        return {"template": template, "error": type(error).__name__}


def main():
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
    environment.filters["tojson"] = tojson
    environment.globals["raise_exception"] = raise_exception
    environment.globals["strftime_now"] = lambda format: datetime(2024, 7, 26).strftime(format)
    cases = [render(environment, template) for template in [*values(), *BLOCKS]]
    with open("table.json", "w", encoding="utf-8") as file:
        json.dump({"jinja2": jinja2.__version__, "messages": MESSAGES, "cases": cases}, file, ensure_ascii=False, indent=1)
        file.write("\n")


main()

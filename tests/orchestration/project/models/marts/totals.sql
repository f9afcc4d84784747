select
    _account as marketplace_code,
    count(*) as line_count,
    cast(sum(cast(amount as decimal(18, 2))) as decimal(18, 2)) as amount,
    cast('{{ var("as_of") }}' as timestamp) as as_of
from {{ ref('stg_lines') }}
group by _account

select
    files.vendor,
    count(*) as quarantined
from {{ source('raw', 'quarantine') }} as files
group by files.vendor

module hmn

go 1.26

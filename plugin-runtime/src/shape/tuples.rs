//! Implementations for tuples of 1 to 8 members.

/// Calls a macro with what is given, in brackets, and the names of the members: once for each number of them.
macro_rules! for_tuples {
    ($with:ident $(, $given:tt)*) => {
        $with!([$($given)*] A);
        $with!([$($given)*] A B);
        $with!([$($given)*] A B C);
        $with!([$($given)*] A B C D);
        $with!([$($given)*] A B C D E);
        $with!([$($given)*] A B C D E F);
        $with!([$($given)*] A B C D E F G);
        $with!([$($given)*] A B C D E F G H);
    };
}

/// Makes a list of an item of anything that is iterated over and of tuples, whose members are bound by the trait in brackets and
/// converted by its method.
macro_rules! into_list {
    ($trait:ident, $method:ident, $item:ident, [$($bound:tt)*], $convert:ident) => {
        impl<M: $($bound)*, I: IntoIterator<Item = M>> $trait<$crate::shape::Iterated> for I {
            fn $method(self) -> Vec<$item> {
                self.into_iter().map(|member| member.$convert()).collect()
            }
        }

        $crate::shape::for_tuples!(into_list_of_tuple, $trait, $method, $item, [$($bound)*], $convert);
    };
}

macro_rules! into_list_of_tuple {
    ([$trait:ident $method:ident $item:ident $bound:tt $convert:ident] $($name:ident)*) => {
        into_list_of_tuple!(@bound $trait $method $item $convert $($name $bound)*);
    };
    (@bound $trait:ident $method:ident $item:ident $convert:ident $($name:ident [$($bound:tt)*])*) => {
        impl<$($name: $($bound)*),*> $trait<$crate::shape::Tuple> for ($($name,)*) {
            fn $method(self) -> Vec<$item> {
                #[expect(non_snake_case, reason = "one identifier serves as type and as binding")]
                let ($($name,)*) = self;
                vec![$($name.$convert()),*]
            }
        }
    };
}

pub(crate) use {for_tuples, into_list, into_list_of_tuple};
